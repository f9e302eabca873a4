//! Every path a crate's code names, resolved to where it leads.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Attribute, ExprMethodCall, ItemMod, ItemUse, Macro, Meta, UseTree,
    buffer::{Cursor, TokenBuffer},
    visit::{self, Visit},
};

use crate::workspace;

/// How many imports of imports are followed: a circle must end.
const STEPS: u8 = 8;

/// A path, or a method or a macro by its bare name, as named in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    /// The file that names it, from `src`.
    pub(crate) file: String,
    /// The module that names it, from its crate's root.
    pub(crate) module: Vec<String>,
    /// Whether only tests are built from that module.
    pub(crate) in_tests: bool,
    /// What is named, from the name of its crate on: `shared::domain::day::Day`, `.elapsed`, `println!`.
    pub(crate) path: Vec<String>,
}

impl Mention {
    /// The path as one would write it.
    pub(crate) fn text(&self) -> String {
        self.path.join("::")
    }

    /// Whether the path is `prefix`, written `a::b`, or leads below it.
    pub(crate) fn begins_with(&self, prefix: &str) -> bool {
        let prefix: Vec<&str> = prefix.split("::").collect();
        self.path.len() >= prefix.len() && prefix.iter().zip(&self.path).all(|(want, have)| want == have)
    }
}

/// The parsed files of one crate.
pub(crate) struct Crate {
    name: String,
    files: Vec<(String, syn::File)>,
    modules: BTreeMap<Vec<String>, Scope>,
}

/// What names mean in one module.
#[derive(Default)]
struct Scope {
    imported: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    children: BTreeSet<String>,
    in_tests: bool,
}

impl Crate {
    /// Reads the crate whose sources lie in `folder`, such as `shared/src`.
    pub(crate) fn read(name: &str, folder: &str) -> Self {
        let files = workspace::files(folder).into_iter().filter(|file| file.ends_with(".rs"));
        let texts: Vec<_> = files.map(|file| (file.clone(), workspace::read(&file))).collect();
        let inside = |file: &str| file.strip_prefix(folder).unwrap().trim_start_matches('/').to_owned();
        Self::parse(name, texts.iter().map(|(file, text)| (inside(file), text.as_str())))
    }

    /// A crate out of the names (from `src`) and the texts of its files.
    pub(crate) fn parse<'a>(name: &str, files: impl IntoIterator<Item = (String, &'a str)>) -> Self {
        let parse = |file: &str, text| syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {file}: {error}"));
        let files: Vec<_> = files.into_iter().map(|(file, text)| (file.clone(), parse(&file, text))).collect();
        let mut modules = BTreeMap::new();
        for (file, syntax) in &files {
            Scopes { module: module_of(file), in_tests: false, found: &mut modules }.visit_file(syntax);
        }
        Self { name: name.to_owned(), files, modules }
    }

    /// Its name, as code writes it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Everything its code names.
    pub(crate) fn mentions(&self) -> BTreeSet<Mention> {
        let mut found = BTreeSet::new();
        for (file, syntax) in &self.files {
            Mentions { of: self, file, module: module_of(file), found: &mut found }.visit_file(syntax);
        }
        found
    }

    /// The places `path`, written in `module`, may lead to. A single name leads nowhere unless it was imported: it is a
    /// local one. `import` is the name that is just being imported as `path`.
    fn resolve(&self, module: &[String], path: &[String], import: Option<&str>, steps: u8) -> Vec<Vec<String>> {
        let (first, rest) = path.split_first().unwrap();
        let parent = || module.split_last().map(|(_, parent)| parent).unwrap_or_default();
        match first.as_str() {
            "crate" => return self.follow(&[], rest, steps),
            "self" => return self.follow(module, rest, steps),
            "super" if rest.first().is_some_and(|next| next == "super") => {
                return self.resolve(parent(), rest, import, steps);
            }
            "super" => return self.follow(parent(), rest, steps),
            _ => {}
        }
        let mut seen_from = module;
        while let Some(scope) = self.modules.get(seen_from) {
            let imported = scope.imported.contains_key(first) && import != Some(first);
            if imported || scope.children.contains(first) {
                return self.follow(seen_from, path, steps);
            }
            if !scope.globs.iter().any(|glob| glob == &["super"]) {
                break;
            }
            seen_from = seen_from.split_last().map(|(_, parent)| parent).unwrap_or_default();
        }
        let globs = self.modules.get(module).map(|scope| &scope.globs[..]).unwrap_or_default();
        let outside = globs.iter().filter(|glob| !["crate", "self", "super"].contains(&glob[0].as_str()));
        let itself = (!rest.is_empty() || import.is_some()).then(|| path.to_vec());
        itself.into_iter().chain(outside.map(|glob| [glob, path].concat())).collect()
    }

    /// Goes down `path` from `module` of this crate, and on to where an import on the way leads.
    fn follow(&self, module: &[String], path: &[String], steps: u8) -> Vec<Vec<String>> {
        let whole = [module, path].concat();
        let here = vec![[std::slice::from_ref(&self.name), &whole[..]].concat()];
        let Some(steps) = steps.checked_sub(1) else { return here };
        for end in (0..whole.len()).rev() {
            let (module, rest) = whole.split_at(end);
            let Some(scope) = self.modules.get(module) else { continue };
            let Some(imported) = scope.imported.get(&rest[0]) else { return here };
            let leads = self.resolve(module, imported, Some(&rest[0]), steps);
            return leads.into_iter().map(|base| [&base[..], &rest[1..]].concat()).collect();
        }
        here
    }
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if ["mod", "lib", "main"].contains(&module.last().unwrap().as_str()) {
        module.pop();
    }
    module
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let test = |attribute: &Attribute| matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test");
    attributes.iter().any(test)
}

/// Every path of a `use`, with the name it is known by here; a glob has none.
fn leaves(tree: &UseTree, path: &[String]) -> Vec<(Option<String>, Vec<String>)> {
    let with = |name: String| if name == "self" { path.to_vec() } else { [path, &[name]].concat() };
    match tree {
        UseTree::Path(it) => leaves(&it.tree, &[path, &[it.ident.to_string()]].concat()),
        UseTree::Group(it) => it.items.iter().flat_map(|tree| leaves(tree, path)).collect(),
        UseTree::Glob(_) => vec![(None, path.to_vec())],
        UseTree::Rename(it) => vec![(Some(it.rename.to_string()), with(it.ident.to_string()))],
        UseTree::Name(it) => {
            let path = with(it.ident.to_string());
            vec![(path.last().cloned(), path)]
        }
    }
}

struct Scopes<'a> {
    module: Vec<String>,
    in_tests: bool,
    found: &'a mut BTreeMap<Vec<String>, Scope>,
}

impl Scopes<'_> {
    fn here(&mut self) -> &mut Scope {
        self.found.entry(self.module.clone()).or_default()
    }
}

impl<'ast> Visit<'ast> for Scopes<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let outside = self.in_tests;
        self.here().children.insert(item.ident.to_string());
        self.module.push(item.ident.to_string());
        self.in_tests |= is_for_tests(&item.attrs);
        self.here().in_tests |= self.in_tests;
        visit::visit_item_mod(self, item);
        self.in_tests = outside;
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for (name, path) in leaves(&item.tree, &[]) {
            match name {
                Some(name) => drop(self.here().imported.insert(name, path)),
                None => self.here().globs.push(path),
            }
        }
    }
}

struct Mentions<'a> {
    of: &'a Crate,
    file: &'a str,
    module: Vec<String>,
    found: &'a mut BTreeSet<Mention>,
}

impl Mentions<'_> {
    fn add(&mut self, path: Vec<String>) {
        let enclosing = (0..=self.module.len()).map(|end| &self.module[..end]);
        let in_tests = enclosing.filter_map(|module| self.of.modules.get(module)).any(|scope| scope.in_tests);
        self.found.insert(Mention { file: self.file.to_owned(), module: self.module.clone(), in_tests, path });
    }

    fn add_written(&mut self, path: &[String]) {
        let keyword = |name: &str| ["crate", "self", "super", "Self"].contains(&name);
        if path.len() == 1 && keyword(&path[0]) {
            return;
        }
        for path in self.of.resolve(&self.module, path, None, STEPS) {
            self.add(path);
        }
    }

    /// Macros take tokens, not syntax: every run of `a::b::c` counts as a path there.
    fn add_tokens(&mut self, mut at: Cursor<'_>) {
        let mut run: Vec<String> = Vec::new();
        let mut after_dot = false;
        while !at.eof() {
            if let Some((name, next)) = at.ident() {
                if after_dot {
                    self.add(vec![format!(".{name}")]);
                } else {
                    run.push(name.to_string());
                }
                at = next;
                if let Some(next) = double_colon(at).filter(|_| !after_dot) {
                    at = next;
                    if at.ident().is_some() {
                        continue;
                    }
                }
            } else if let Some((inner, _, _, next)) = at.any_group() {
                self.add_tokens(inner);
                at = next;
            } else if let Some((punct, next)) = at.punct() {
                after_dot = punct.as_char() == '.';
                at = next;
                continue;
            } else {
                at = at.token_tree().unwrap().1;
            }
            after_dot = false;
            if !run.is_empty() {
                self.add_written(&std::mem::take(&mut run));
            }
        }
    }
}

fn double_colon(at: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, next) = at.punct()?;
    let (second, next) = next.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(next)
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for (name, path) in leaves(&item.tree, &[]) {
            let mut leads = self.of.resolve(&self.module, &path, Some(name.as_deref().unwrap_or_default()), STEPS);
            if name.is_none() {
                leads.iter_mut().for_each(|path| path.push("*".to_owned()));
            }
            leads.into_iter().for_each(|path| self.add(path));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path.leading_colon.is_some() {
            self.add(segments);
        } else {
            self.add_written(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.add(vec![format!(".{}", call.method)]);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // A bare name is a macro of its own kind: `env!` has nothing to do with an imported `std::env`.
        match call.path.get_ident() {
            Some(name) => self.add(vec![format!("{name}!")]),
            None => self.visit_path(&call.path),
        }
        self.add_tokens(TokenBuffer::new2(call.tokens.clone()).begin());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().segments.len() > 1 {
            self.visit_path(attribute.path());
        }
        match &attribute.meta {
            Meta::List(list) => self.add_tokens(TokenBuffer::new2(list.tokens.clone()).begin()),
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
            Meta::Path(_) => {}
        }
    }
}
