//! The files of the repository, as the rules read them.

use std::path::{Path, PathBuf};

/// A text file of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn planted(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(crate) fn is_source(&self) -> bool {
        self.path.starts_with("crates/")
            && self.path.contains("/src/")
            && self.path.ends_with(".rs")
    }

    /// The text before the tests at the end of the file.
    pub(crate) fn before_tests(&self) -> &str {
        const MARK: &str = "\n#[cfg(test)]\n";
        let foot = self.text.match_indices(MARK).find(|(at, _)| {
            // Attributes may stand in between, over several lines.
            let mut after = self.text[at + MARK.len()..].lines();
            let item = after.find(|line| !line.starts_with(['#', ' ', ')', ']']));
            item.is_some_and(|line| line.starts_with("mod "))
        });
        foot.map_or(&self.text, |(at, _)| &self.text[..at])
    }

    /// The text before the tests, without comments.
    pub(crate) fn code(&self) -> String {
        self.before_tests()
            .lines()
            .map(|line| format!("{}\n", uncommented(line)))
            .collect()
    }
}

/// A line up to its comment. A quote in a character literal does not begin a text.
pub(crate) fn uncommented(line: &str) -> &str {
    let mut in_text = false;
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| bytes[at]);
        match byte {
            b'"' if before != Some(b'\\') && before != Some(b'\'') => in_text = !in_text,
            b'/' if !in_text && before == Some(b'/') => return &line[..at - 1],
            _ => {}
        }
    }
    line
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every text file of the repository, except the lock file.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let inside = path.strip_prefix(root()).expect("below the root");
            let inside = inside.to_str().expect("plain names").to_owned();
            let is_ours = !matches!(inside.as_str(), ".git" | "target" | "data" | "Cargo.lock");
            if is_ours && path.is_dir() {
                folders.push(path);
            } else if is_ours && let Ok(text) = std::fs::read_to_string(path) {
                files.push(File { path: inside, text });
            }
        }
    }
    assert!(files.len() > 100, "the walk has missed something");
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

pub(crate) fn sources() -> Vec<File> {
    files().into_iter().filter(File::is_source).collect()
}

/// Fails if the rule found anything.
pub(crate) fn holds(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// Words of a line: runs of letters, digits and underscores.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}
