//! Imports between the files of one room: no circle, and in `server` only from a layer to those
//! before it.
//!
//! A file imports another when one of its paths leads there, in a `use` or in code. A re-export
//! (`pub use`) is no import: a path through it leads to the file that it names. So a `mod.rs` may
//! publish its children, which may use what it defines, as long as it does not use them itself.

use crate::source::{Source, Token, is_word};
use std::collections::{BTreeMap, BTreeSet};

/// The layers of `src/server`, the lowest first. A file may import from its own layer and from
/// those before it.
const SERVER_LAYERS: [&str; 12] = [
    "base", "shutdown", "client", "pool", "shared", "release", "evict", "shed", "exchange",
    "worker", "handle", "mod",
];
/// Re-exports that lead from one to the next, at the most.
const REEXPORTS_MAX: usize = 8;

type Module = Vec<String>;

/// Which file of a room imports which, by path, with the line of the first such import.
struct Imports(BTreeMap<String, BTreeMap<String, usize>>);

impl Imports {
    fn of(files: &[Source]) -> Imports {
        let modules: BTreeMap<Module, &Source> =
            files.iter().map(|file| (module_of(file), file)).collect();
        let mut published = BTreeMap::new();
        let mut used = Vec::new();
        for (module, file) in &modules {
            let (public, rest) = split_reexports(file);
            for (_, path) in paths(&public, module, &modules) {
                let name = path.last().cloned().unwrap_or_default();
                published.insert((module.clone(), name), path);
            }
            used.push((*file, paths(&rest, module, &modules)));
        }
        let mut imports = BTreeMap::new();
        for (file, paths) in used {
            let mut found = BTreeMap::new();
            for (line, path) in paths {
                let Some(target) = resolve(path, &modules, &published) else {
                    continue;
                };
                if target.path != file.path && target.room() == file.room() {
                    found.entry(target.path.clone()).or_insert(line);
                }
            }
            imports.insert(file.path.clone(), found);
        }
        Imports(imports)
    }

    /// The files that can be reached from `file`.
    fn reach(&self, file: &str) -> BTreeSet<&str> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![file]);
        while let Some(file) = next.pop() {
            for target in self.0.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(target.as_str()) {
                    next.push(target);
                }
            }
        }
        seen
    }
}

/// One complaint for each import that is part of a circle.
pub fn circles(files: &[Source]) -> Vec<String> {
    let imports = Imports::of(files);
    let mut found = Vec::new();
    for (file, targets) in &imports.0 {
        for (target, line) in targets {
            if imports.reach(target).contains(file.as_str()) {
                found.push(format!("{file}:{line}: {target} imports this file in turn"));
            }
        }
    }
    found
}

/// One complaint for each import in `src/server` that leads to a layer above.
pub fn layers(files: &[Source]) -> Vec<String> {
    let layer = |path: &str| {
        let below = path.strip_prefix("src/server/")?;
        let name = below.split(['/', '.']).next()?;
        SERVER_LAYERS.iter().position(|layer| *layer == name)
    };
    let mut found = Vec::new();
    for (file, targets) in &Imports::of(files).0 {
        if !file.starts_with("src/server/") {
            continue;
        }
        let Some(own) = layer(file) else {
            found.push(format!("{file}:1: is in no layer of src/server"));
            continue;
        };
        for (target, line) in targets {
            if layer(target).is_some_and(|other| other > own) {
                found.push(format!("{file}:{line}: {target} is in a layer above"));
            }
        }
    }
    found
}

/// `src/h1/head.rs` is `crate::h1::head`, `src/h1/mod.rs` is `crate::h1`.
fn module_of(file: &Source) -> Module {
    let below = file.path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module = vec!["crate".to_string()];
    module.extend(below.split('/').map(String::from));
    if ["mod", "lib", "main"].contains(&module.last().map_or("", String::as_str)) {
        module.pop();
    }
    module
}

/// The file without its re-exports, and only these.
fn split_reexports(file: &Source) -> (Source, Source) {
    let (mut public, mut rest) = (Source::new(&file.path, ""), Source::new(&file.path, ""));
    let mut tokens = file.tokens.iter().peekable();
    let mut statement: Vec<Token> = Vec::new();
    while let Some(token) = tokens.next() {
        statement.push(token.clone());
        let has = |word| statement.iter().any(|token| token.word == word);
        let (is_use, is_public) = (has("use"), has("pub"));
        let ends = token.word == ";" || (!is_use && ["{", "}"].contains(&token.word.as_str()));
        if ends || tokens.peek().is_none() {
            match is_public && is_use {
                true => public.tokens.append(&mut statement),
                false => rest.tokens.append(&mut statement),
            }
        }
    }
    (public, rest)
}

/// The paths of a file, from the crate's root on.
fn paths(
    file: &Source,
    module: &Module,
    modules: &BTreeMap<Module, &Source>,
) -> Vec<(usize, Module)> {
    let children: Vec<&str> = modules
        .keys()
        .filter(|other| other.len() == module.len() + 1 && other.starts_with(module))
        .filter_map(|child| child.last().map(String::as_str))
        .collect();
    let starts = [&["crate", "super", "self"], children.as_slice()].concat();
    let mut found = file.paths(&starts);
    for (_, path) in &mut found {
        // The program is a crate of its own.
        let root = match module.get(1).is_some_and(|room| room == "bin") {
            true => &module[..3.min(module.len())],
            false => &module[..1],
        };
        if path[0] == "crate" && !path.starts_with(root) {
            path.splice(..1, root.iter().cloned());
        } else if path[0] != "crate" {
            path.splice(..0, module.iter().cloned());
        }
    }
    found.retain(|(_, path)| path.iter().all(|name| is_word(name) || name == "*"));
    found
}

/// The file that a path leads to, through re-exports.
fn resolve<'a>(
    mut path: Module,
    modules: &BTreeMap<Module, &'a Source>,
    published: &BTreeMap<(Module, String), Module>,
) -> Option<&'a Source> {
    for _ in 0..REEXPORTS_MAX {
        let known = (1..=path.len()).rev();
        let length = known
            .into_iter()
            .find(|length| modules.contains_key(&path[..*length]))?;
        let module = path[..length].to_vec();
        let reexport = path
            .get(length)
            .and_then(|name| published.get(&(module.clone(), name.clone())));
        match reexport {
            Some(target) if *target != path => path = target.clone(),
            _ => return modules.get(&module).copied(),
        }
    }
    None
}
