//! Circles: how many files of one crate may name each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{File, holds, sources};

/// Greatest number of files of one crate that name each other in a circle.
const MAX_CIRCLE: usize = 3;

/// Follows one tree of paths, as it stands after `use`; adds its paths, and returns what comes after it.
fn follow<'t>(mut text: &'t str, before: &[&'t str], found: &mut Vec<Vec<&'t str>>) -> &'t str {
    let mut path = before.to_vec();
    loop {
        text = text.trim_start();
        if let Some(inside) = text.strip_prefix('{') {
            text = inside.trim_start();
            while !text.is_empty() && !text.starts_with('}') {
                let after = follow(text, &path, found);
                // The new name of a path is skipped.
                let end = after.find([',', '}']).unwrap_or(after.len());
                text = after[end..].trim_start_matches(',').trim_start();
            }
            return text.strip_prefix('}').unwrap_or(text);
        }
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
        if end > 0 {
            path.push(&text[..end]);
        }
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(more) if end > 0 => text = more,
            Some(_) | None => {
                found.push(path);
                return text;
            }
        }
    }
}

/// The paths of a file that begin with `crate` or `super`.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            let continues = |c: char| c.is_ascii_alphanumeric() || "_:$".contains(c);
            if !before.is_some_and(continues) {
                follow(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// The path of a file's module within its crate.
fn module(path: &str) -> Vec<&str> {
    let (_, inside) = path.split_once("/src/").expect("a source");
    let mut names: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    if matches!(names.last(), Some(&("lib" | "main" | "mod"))) {
        names.pop();
    }
    names
}

/// The files of a crate, each with the files that its paths lead to.
fn named_files<'f>(files: &[&'f File]) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let known: BTreeMap<Vec<&str>, &str> = files
        .iter()
        .map(|file| (module(&file.path), file.path.as_str()))
        .collect();
    let mut named = BTreeMap::new();
    for file in files {
        let code = file.code();
        let mut to = BTreeSet::new();
        for path in paths(&code) {
            let mut place = module(&file.path);
            let mut names = path.into_iter().peekable();
            if names.next_if_eq(&"crate").is_some() {
                place.clear();
            }
            while names.next_if_eq(&"super").is_some() {
                place.pop();
            }
            for name in names {
                let below = [place.as_slice(), &[name]].concat();
                let Some((own, _)) = known.get_key_value(&below) else {
                    break;
                };
                place = own.clone();
            }
            to.extend(known.get(&place).filter(|path| **path != file.path));
        }
        named.insert(file.path.as_str(), to);
    }
    named
}

fn reached<'f>(from: &'f str, named: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> BTreeSet<&'f str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(named[file].iter().filter(|next| seen.insert(**next)));
    }
    seen
}

/// The circles of files of one crate, each once.
fn circles(files: &[File]) -> BTreeSet<BTreeSet<&str>> {
    let mut crates: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        let (folder, _) = file.path.split_once("/src/").expect("a source");
        crates.entry(folder).or_default().push(file);
    }
    let mut found = BTreeSet::new();
    for files in crates.values() {
        let named = named_files(files);
        let reach: BTreeMap<&str, BTreeSet<&str>> = named
            .keys()
            .map(|file| (*file, reached(file, &named)))
            .collect();
        for (file, far) in &reach {
            let circle: BTreeSet<&str> = far
                .iter()
                .copied()
                .filter(|other| reach[other].contains(file))
                .collect();
            found.extend((circle.len() > 1).then_some(circle));
        }
    }
    found
}

fn long_circles(files: &[File]) -> Vec<String> {
    let long = circles(files).into_iter();
    let long = long.filter(|circle| circle.len() > MAX_CIRCLE);
    long.map(|circle| Vec::from_iter(circle).join(" "))
        .collect()
}

#[test]
fn no_circle_of_files_is_long() {
    let file = |name: &str, text: &str| File::planted(&format!("crates/x/src/{name}.rs"), text);
    let planted = [
        file("lib", "mod a;\nuse a::b::B;\n"),
        file("a/mod", "use crate::{\n    c::{C, D as E},\n    f,\n};\n"),
        file("a/b", "pub(crate) use super::A;\nuse super::super::lib;\n"),
        file("c", "use crate::d::*; // crate::f\n"),
        file("d", "fn d() -> crate::a::b::B {\n    super::g::<u8>()\n}\n"),
        file("f", "use crate::g::G;\n"),
        file(
            "g",
            "use super::f::{self};\n#[cfg(test)]\nmod tests { use crate::a; }\n",
        ),
    ];
    let names = |names: &[&str]| -> BTreeSet<String> {
        names
            .iter()
            .map(|name| format!("crates/x/src/{name}.rs"))
            .collect()
    };
    let found: BTreeSet<BTreeSet<String>> = circles(&planted)
        .into_iter()
        .map(|circle| circle.into_iter().map(str::to_owned).collect())
        .collect();
    let (four, two) = (names(&["a/mod", "a/b", "c", "d"]), names(&["f", "g"]));
    assert_eq!(found, BTreeSet::from([four.clone(), two]));
    let four: Vec<String> = four.into_iter().collect();
    assert_eq!(long_circles(&planted), [four.join(" ")]);

    let sources = sources();
    holds(
        "files that can only be read together",
        long_circles(&sources),
    );
}
