//! XML as banks write it: a tree of elements with their places.
//!
//! A document type is refused, and with it every entity of a file's own: nothing is ever fetched, and nothing grows
//! while it is read. The size of the file, the depth, the number of elements and the length of a tag are bounded.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::places::{Places, latin_1};
use crate::{Place, Problem, ReadError};

/// Greatest number of bytes of a file.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Greatest number of elements within each other.
const MAX_DEPTH: usize = 64;
/// Greatest number of elements.
const MAX_ELEMENTS: usize = 5_000_000;
/// Greatest number of bytes of a tag with its attributes.
const MAX_TAG: usize = 4_096;

/// An element with what is in it.
#[derive(Debug)]
pub(crate) struct Element {
    /// The name without a prefix; empty if the element is of another namespace than the root.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
    /// Where the element begins.
    pub(crate) place: Place,
}

impl Element {
    /// The children with this name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element that is reached by these names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Element> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        let mut children = self.children.iter().filter(|child| child.name == *first);
        children.find_map(|child| child.at(rest))
    }

    /// The text without the white space around it; `None` if it is empty.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the first element that is reached by these names.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }

    /// The same, as a text of its own.
    pub(crate) fn own_text_at(&self, path: &[&str]) -> Option<String> {
        self.text_at(path).map(str::to_owned)
    }

    /// Takes out the first element that is reached by these names.
    #[cfg(test)]
    pub(crate) fn take(&mut self, path: &[&str]) -> Option<Element> {
        let (first, rest) = path.split_first()?;
        let at = self
            .children
            .iter()
            .position(|child| child.name == *first)?;
        match rest {
            [] => Some(self.children.remove(at)),
            rest => self.children.get_mut(at)?.take(rest),
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The element that is reached by these names; an error if there is none.
    pub(crate) fn needs(&self, path: &[&str], inside: &'static str) -> Result<&Element, ReadError> {
        let what = path.join("/");
        let missing = || Problem::Missing { what, inside }.at(self.place);
        self.at(path).ok_or_else(missing)
    }

    /// The text that is reached by these names; an error if there is none.
    pub(crate) fn needs_text(
        &self,
        path: &[&str],
        inside: &'static str,
    ) -> Result<&str, ReadError> {
        let what = path.join("/");
        let missing = || Problem::Missing { what, inside }.at(self.place);
        self.text_at(path).ok_or_else(missing)
    }
}

/// The root of a document, and its namespace.
pub(crate) struct Document {
    pub(crate) root: Element,
    pub(crate) namespace: String,
}

/// The name of a message of ISO 20022 in a namespace: `camt.053.001.08`.
pub(crate) fn message(namespace: &str) -> Option<&str> {
    namespace.strip_prefix("urn:iso:std:iso:20022:tech:xsd:")
}

/// The document in a file.
pub(crate) fn read(file: &[u8]) -> Result<Document, ReadError> {
    if file.len() > MAX_BYTES {
        return Err(Problem::TooLarge { most: MAX_BYTES }.at(Place::START));
    }
    let text = decoded(file)?;
    let places = Places::of(&text);
    Builder {
        places,
        open: Vec::new(),
        root: None,
        prefix: String::new(),
        namespace: String::new(),
        elements: 0,
    }
    .build(&text)
}

/// The text of a file, by the encoding that its first line names.
fn decoded(file: &[u8]) -> Result<String, ReadError> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let wrong = || Problem::Encoding.at(Place::START);
    let end = file.windows(2).take(256).position(|pair| pair == b"?>");
    let first = file.get(..end.unwrap_or(0)).unwrap_or_default();
    let first = latin_1(first).to_ascii_lowercase().replace('\'', "\"");
    let named = first.split_once("encoding").and_then(|(_, rest)| {
        let rest = rest.trim_start().strip_prefix('=')?;
        rest.trim_start().strip_prefix('"')?.split('"').next()
    });
    match named {
        Some("iso-8859-1" | "iso_8859-1" | "latin1") => Ok(latin_1(file)),
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            let text = str::from_utf8(file).map_err(|_invalid| wrong())?;
            Ok(text.to_owned())
        }
        Some(_) => Err(wrong()),
    }
}

struct Builder<'t> {
    places: Places<'t>,
    open: Vec<Element>,
    root: Option<Element>,
    /// The prefix of the root.
    prefix: String,
    namespace: String,
    elements: usize,
}

impl Builder<'_> {
    fn build(mut self, text: &str) -> Result<Document, ReadError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        let not_read = |what| Problem::NotRead { what };
        loop {
            let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            let event = reader.read_event().map_err(|error| {
                let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                let reason = error.to_string();
                Problem::Xml { reason }.at(self.places.at(at))
            })?;
            let done = match event {
                Event::Start(tag) => self.begin(&tag, offset),
                Event::Empty(tag) => self.begin(&tag, offset).and_then(|()| self.end()),
                Event::End(_) => self.end(),
                Event::Text(text) => self.add(&text.xml10_content()),
                Event::CData(text) => self.add(&text.xml10_content()),
                Event::GeneralRef(reference) => self.refer(&reference),
                Event::Comment(_) | Event::Decl(_) => Ok(()),
                Event::PI(_) => Err(not_read("a processing instruction")),
                Event::DocType(_) => Err(not_read("a document type")),
                Event::Eof => {
                    let place = self.places.at(offset);
                    return self.finish().map_err(|problem| problem.at(place));
                }
            };
            done.map_err(|problem| problem.at(self.places.at(offset)))?;
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>, offset: usize) -> Result<(), Problem> {
        if tag.len() > MAX_TAG {
            let reason = format!("a tag has at most {MAX_TAG} bytes");
            return Err(Problem::Xml { reason });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Problem::TooDeep { most: MAX_DEPTH });
        }
        self.elements = self.elements.saturating_add(1);
        if self.elements > MAX_ELEMENTS {
            return Err(Problem::TooLarge { most: MAX_BYTES });
        }
        if self.root.is_some() {
            let reason = "there is a second root".to_owned();
            return Err(Problem::Xml { reason });
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            let ill = |reason: String| Problem::Xml { reason };
            let attribute = attribute.map_err(|error| ill(error.to_string()))?;
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
            let value = value.map_err(|error| ill(error.to_string()))?;
            attributes.push((attribute.key.0.to_owned(), value.into_owned()));
        }
        let name = tag.name();
        let prefix = name.prefix().map_or("", |prefix| prefix.into_inner());
        let declares = match prefix {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        let declared = attributes.iter().find(|(name, _)| *name == declares);
        let declared = declared.map(|(_, namespace)| namespace.as_str());
        if self.open.is_empty() {
            self.prefix = prefix.to_owned();
            self.namespace = declared.unwrap_or_default().to_owned();
        }
        let is_ours = prefix == self.prefix
            && declared.is_none_or(|namespace| namespace == self.namespace)
            && self
                .open
                .last()
                .is_none_or(|parent| !parent.name.is_empty());
        let name = if is_ours {
            name.local_name().into_inner()
        } else {
            ""
        };
        self.open.push(Element {
            name: name.to_owned(),
            attributes,
            text: String::new(),
            children: Vec::new(),
            place: self.places.at(offset),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(element) = self.open.pop() else {
            let reason = "an end without a beginning".to_owned();
            return Err(Problem::Xml { reason });
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), Problem> {
        let is_xml =
            |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}');
        if let Some(wrong) = text.chars().find(|c| !is_xml(*c)) {
            let reason = format!("U+{:04X} is no character of XML", u32::from(wrong));
            return Err(Problem::Xml { reason });
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => {
                let reason = "there is text outside of the root".to_owned();
                return Err(Problem::Xml { reason });
            }
        }
        Ok(())
    }

    fn refer(&mut self, reference: &BytesRef<'_>) -> Result<(), Problem> {
        let ill = |error: quick_xml::Error| Problem::Xml {
            reason: error.to_string(),
        };
        if let Some(character) = reference.resolve_char_ref().map_err(ill)? {
            return self.add(character.encode_utf8(&mut [0; 4]));
        }
        match &*reference.xml10_content() {
            "amp" => self.add("&"),
            "lt" => self.add("<"),
            "gt" => self.add(">"),
            "quot" => self.add("\""),
            "apos" => self.add("'"),
            _ => Err(Problem::NotRead {
                what: "an entity that XML itself does not have",
            }),
        }
    }

    fn finish(self) -> Result<Document, Problem> {
        if let Some(element) = self.open.last() {
            let reason = format!("the element {:?} has no end", element.name);
            return Err(Problem::Xml { reason });
        }
        let right = "an XML document";
        let root = self.root.ok_or(Problem::Empty { right })?;
        Ok(Document {
            root,
            namespace: self.namespace,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn refused(text: &str) -> String {
        read(text.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn a_tree_has_texts_attributes_and_places() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- x --><D xmlns=\"urn:d\">\n  <A Ccy='E&amp;R'>1 &lt; <![CDATA[<2>]]>&#x20AC;</A><B/>\n</D>\n";
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.namespace, "urn:d");
        let amount = document.root.at(&["A"]).unwrap();
        assert_eq!(amount.text(), Some("1 < <2>\u{20ac}"));
        assert_eq!(amount.attribute("Ccy"), Some("E&R"));
        assert_eq!(amount.place, Place { line: 3, column: 3 });
        assert_eq!(document.root.text_at(&["B"]), None);
    }

    #[test]
    fn prefixes_are_read_by_their_namespace() {
        let text = "<n:D xmlns:n='urn:d' xmlns:o='urn:o'><o:A>1</o:A><n:A>2</n:A><A>3</A></n:D>";
        let root = read(text.as_bytes()).unwrap().root;
        assert_eq!(root.text_at(&["A"]), Some("2"));
        let text = "<D xmlns='urn:d'><A xmlns='urn:o'><B>1</B></A><A><B>2</B></A></D>";
        let root = read(text.as_bytes()).unwrap().root;
        assert_eq!(root.text_at(&["A", "B"]), Some("2"));
    }

    #[test]
    fn document_types_and_entities_are_refused() {
        let bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><d>&b;</d>";
        assert_eq!(
            refused(bomb),
            "line 2, column 1: a document type is not read: a bank file does not need it"
        );
        let outside = "<!DOCTYPE d SYSTEM \"file:///etc/hostname\"><d/>";
        assert!(refused(outside).contains("a document type is not read"));
        assert!(refused("<d>&b;</d>").starts_with("line 1, column 4: an entity"));
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |depth: usize| "<d>".repeat(depth) + &"</d>".repeat(depth);
        assert!(read(deep(64).as_bytes()).is_ok());
        assert!(refused(&deep(65)).contains("at most 64 deep"));
        assert!(refused(&"<d>".repeat(1_000_000)).contains("at most 64 deep"));
        let wide: String = (0..2_000).map(|n| format!(" a{n}=''")).collect();
        assert!(refused(&format!("<d{wide}/>")).contains("a tag has at most 4096 bytes"));
        let large = vec![b' '; MAX_BYTES + 1];
        assert!(matches!(
            read(&large).err().unwrap().problem,
            Problem::TooLarge { .. }
        ));
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_place() {
        for (text, says) in [
            ("", "there is nothing here"),
            ("text", "text outside of the root"),
            ("<d>\n<a></b></d>", "line 2, column 4"),
            ("<d><a>", "has no end"),
            ("<d/><e/>", "a second root"),
            ("<d a='1' a='2'/>", "not well-formed"),
            ("<d>\u{1}</d>", "U+0001"),
            ("<d>&#1;</d>", "U+0001"),
            ("<d>a & b</d>", "not well-formed"),
            ("<d>&#0;</d>", "not well-formed"),
        ] {
            assert!(refused(text).contains(says), "{text:?}: {}", refused(text));
        }
    }

    #[test]
    fn the_encoding_is_that_of_the_first_line() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><d>M\xfcller</d>";
        assert_eq!(read(latin).unwrap().root.text(), Some("M\u{fc}ller"));
        let unnamed = b"<?xml version='1.0'?><d>M\xfcller</d>";
        let other = b"<?xml version='1.0' encoding='UTF-16'?><d/>";
        for file in [unnamed.as_slice(), other, b"\xff\xfe<\0d\0/\0>\0"] {
            assert_eq!(read(file).err().unwrap().problem, Problem::Encoding);
        }
    }
}
