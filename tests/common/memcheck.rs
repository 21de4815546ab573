//! Runs programs under valgrind's memcheck, and finds the reports about this library.
//!
//! The driver manager, Microsoft's driver and R cause reports of their own. A report is about this library if its code
//! is the innermost in one of the report's stacks, not counting the C library and valgrind's own functions: then it
//! allocated, read, wrote or freed the memory.

use super::{Ran, Registrations};
use std::path::Path;

pub struct Report {
    pub ran: Ran,
    /// Reports about this library, each with its stacks.
    pub ours: Vec<String>,
    /// Blocks of this library that were still reachable when the process ended.
    pub kept: usize,
    /// Processes that were checked: the program, and its forked children.
    pub processes: usize,
}

impl Report {
    /// Runs a program to its end. Leaks in forked children do not count: a child loses everything that its parent's
    /// other threads were using.
    #[track_caller]
    pub fn of(
        registrations: &Registrations,
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &Path)],
    ) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let mut command = registrations.command("valgrind");
        command.args(["--leak-check=full", "--show-leak-kinds=all", "--num-callers=30", "--xml=yes"]);
        // Each process writes its own file.
        command.arg(format!("--xml-file={}/%p", folder.path().display())).arg(program).args(arguments);
        command.envs(variables.iter().copied());
        let mut report = Report { ran: Ran::of(&mut command), ours: Vec::new(), kept: 0, processes: 0 };
        for file in std::fs::read_dir(folder.path()).unwrap() {
            report.judge(&file.unwrap().path());
        }
        assert!(report.processes > 0, "no report: {:?}", report.ran);
        report
    }

    /// Adds what a process reported.
    #[track_caller]
    fn judge(&mut self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let document =
            roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{:?}\n{text}", self.ran));
        let is_child = file.with_file_name(text_of(document.root(), "ppid")).exists();
        let errors = document.descendants().filter(|node| node.has_tag_name("error") && is_ours(*node));
        for error in errors {
            match text_of(error, "kind").as_str() {
                kind if is_child && kind.starts_with("Leak_") => {}
                "Leak_StillReachable" => self.kept += text_of(error, "leakedblocks").parse::<usize>().unwrap(),
                _ => self.ours.push(shown(error)),
            }
        }
        self.processes += 1;
    }

    /// Checks that the program ended well, that no report is about this library, and that what it keeps does not grow
    /// with use.
    #[track_caller]
    pub fn nothing_of_ours(self) -> Ran {
        assert!(self.ours.is_empty(), "{}\n{}", self.ran.stderr, self.ours.join("\n"));
        // It keeps at least the target's name and path. If nothing is kept, the run did not use this library.
        assert!((1..=KEPT).contains(&self.kept), "{} blocks are kept", self.kept);
        self.ran.ok()
    }
}

/// What exists once: the target and the reason for having none, the installer library, the log, the empty maps.
const KEPT: usize = 10;

type Node<'n> = roxmltree::Node<'n, 'n>;

fn is_ours(error: Node) -> bool {
    let innermost = |stack: Node| {
        let objects = frames(stack).into_iter().map(|frame| text_of(frame, "obj"));
        let file = |object: String| object.rsplit('/').next().unwrap_or_default().to_owned();
        objects.map(file).find(|file| !(file.starts_with("vgpreload_") || file.starts_with("libc.so")))
    };
    stacks(error).into_iter().any(|stack| innermost(stack).as_deref() == Some("libloopbackodbc.so"))
}

fn stacks<'n>(error: Node<'n>) -> Vec<Node<'n>> {
    error.children().filter(|node| node.has_tag_name("stack")).collect()
}

fn frames<'n>(stack: Node<'n>) -> Vec<Node<'n>> {
    stack.children().filter(|node| node.has_tag_name("frame")).collect()
}

/// The text of the first element with this name; empty if there is none.
fn text_of(node: Node, name: &str) -> String {
    node.descendants().find(|node| node.has_tag_name(name)).and_then(|node| node.text()).unwrap_or_default().to_owned()
}

fn shown(error: Node) -> String {
    let mut lines = vec![format!("{}: {}{}", text_of(error, "kind"), text_of(error, "what"), text_of(error, "text"))];
    for stack in stacks(error) {
        lines.extend(frames(stack).into_iter().map(|it| format!("    {} {}", text_of(it, "obj"), text_of(it, "fn"))));
        lines.push(String::new());
    }
    lines.join("\n")
}
