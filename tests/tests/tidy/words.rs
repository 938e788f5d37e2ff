//! The words of the repository: the project speaks of itself alone, and no merge is left half done.

use crate::files::{File, files, holds, words};

/// Words that have no meaning in a payment back-end; each is split so that it is not found here.
const FOREIGN: [&str; 2] = [concat!("hel", "per"), concat!("age", "nt")];
const FOREIGN_PARTS: [&str; 7] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates", ".io"),
    concat!("py", "pi.org"),
    concat!("npm", "js"),
    concat!("docker", ".io"),
];

fn foreign(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            // A lock file contains the names that others gave to their packages.
            let is_ours = !file.path.ends_with("package-lock.json");
            let word = words(line).find(|word| {
                let is_foreign = |foreign: &&str| word.eq_ignore_ascii_case(foreign);
                is_ours && FOREIGN.iter().any(is_foreign)
            });
            let part = FOREIGN_PARTS.into_iter().find(|part| line.contains(part));
            found.extend(
                word.or(part)
                    .map(|what| format!("{}:{number}: {what}", file.path)),
            );
        }
    }
    found
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let planted = format!(
        "user_{0} and helpers\nthe {1} of\ncd {2}main\n{3}\n",
        FOREIGN[1], FOREIGN[0], FOREIGN_PARTS[0], FOREIGN_PARTS[3]
    );
    assert_eq!(foreign(&[File::planted("x.md", &planted)]).len(), 3);
    holds("words that do not belong here", foreign(&files()));
}

/// Lines that a merge has left behind.
fn half_merged(files: &[File]) -> Vec<String> {
    let marks = ["<".repeat(7), ">".repeat(7)];
    let mut found = Vec::new();
    for file in files {
        let lines = (1..).zip(file.text.lines());
        let left = lines.filter(|(_, line)| marks.iter().any(|mark| line.starts_with(mark)));
        found.extend(left.map(|(number, _)| format!("{}:{number}", file.path)));
    }
    found
}

#[test]
fn no_merge_is_left_half_done() {
    let planted = format!("a\n{0} HEAD\nb\n{1} other\n", "<".repeat(7), ">".repeat(7));
    assert_eq!(
        half_merged(&[File::planted("x.md", &planted)]),
        ["x.md:2", "x.md:4"]
    );
    holds("marks of a merge", half_merged(&files()));
}
