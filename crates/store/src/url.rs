//! The database URL, parsed here and nowhere else.
//!
//! diesel's own choice between databases tries each in turn, so a mistyped PostgreSQL address would silently become a
//! SQLite file of that name. Therefore a URL names its database first.

use std::fmt;
use std::path::PathBuf;

/// The place where the books are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, created if it does not exist.
    Sqlite(PathBuf),
    /// A connection URI of PostgreSQL, as libpq reads it.
    Postgres(String),
}

/// Why a database URL was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    /// The text begins with neither `sqlite:` nor `postgres://`.
    #[error(
        "the database URL must start with sqlite: or postgres:// (for example sqlite:./data/florin.db)"
    )]
    UnknownScheme,
    /// The text is `sqlite:` without a path.
    #[error(
        "the database URL sqlite: lacks the path of its file (for example sqlite:./data/florin.db)"
    )]
    NoPath,
    /// The text has a NUL byte, which neither database accepts.
    #[error("the database URL contains a NUL byte")]
    Nul,
}

impl DatabaseUrl {
    /// Parses `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.contains('\0') {
            return Err(UrlError::Nul);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let Some(path) = text.strip_prefix("sqlite:") else {
            return Err(UrlError::UnknownScheme);
        };
        match path.strip_prefix("//").unwrap_or(path) {
            "" => Err(UrlError::NoPath),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// `sqlite` or `postgres`, for messages.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

/// The address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(uri) => match uri.split_once("://").and_then(|(scheme, rest)| {
                let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                let (user, host) = authority.rsplit_once('@')?;
                let (user, _password) = user.split_once(':')?;
                Some((scheme, user, host, tail))
            }) {
                Some((scheme, user, host, tail)) => write!(f, "{scheme}://{user}:***@{host}{tail}"),
                None => f.write_str(uri),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_backend() {
        assert_eq!(
            DatabaseUrl::parse("sqlite:./data/florin.db"),
            Ok(DatabaseUrl::Sqlite(PathBuf::from("./data/florin.db")))
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite:///var/florin.db"),
            Ok(DatabaseUrl::Sqlite(PathBuf::from("/var/florin.db")))
        );
        assert_eq!(
            DatabaseUrl::parse("florin.db"),
            Err(UrlError::UnknownScheme)
        );
        assert_eq!(DatabaseUrl::parse("sqlite:"), Err(UrlError::NoPath));
        assert_eq!(DatabaseUrl::parse("sqlite:a\0b"), Err(UrlError::Nul));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgres://ann:s3cret@db.example:5432/florin?a=b");
        assert_eq!(
            url.map(|u| u.to_string()),
            Ok("postgres://ann:***@db.example:5432/florin?a=b".to_owned())
        );
    }
}
