//! The options, as one table.
//!
//! Help, parsing, "did you mean", the names of environment variables and the conflict checks all
//! read [`OPTIONS`]. A new option is one row here and one arm where its value is read: in
//! `settings.rs`, or in `file_options.rs` for options about files.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Port,
    Bind,
    Lan,
    Index,
    Spa,
    NoListing,
    NoCleanUrls,
    Hidden,
    Symlinks,
    PortableNames,
    Cache,
    NoStore,
    Immutable,
    Mime,
    FileCache,
    Mount,
    Auth,
    AuthFile,
    Threads,
    MaxConns,
    MaxConnsPerIp,
    Grace,
    Drain,
    Quiet,
    Help,
    Version,
}

/// The groups of the help text, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Listen,
    Served,
    Run,
    About,
}

impl Group {
    pub const ALL: [Group; 4] = [Group::Listen, Group::Served, Group::Run, Group::About];

    pub fn title(self) -> &'static str {
        match self {
            Group::Listen => "Where to listen",
            Group::Served => "What is served, and to whom",
            Group::Run => "How it runs",
            Group::About => "About",
        }
    }
}

/// The environment variables that may set an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvVar {
    None,
    /// `DOORSTEP_` and the long name in upper case.
    Own,
    /// The same, or else this variable.
    OwnOr(&'static str),
}

/// Whether an option takes a value, and what the help calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    None,
    /// Always: the rest of the word, or the next one.
    Needed(&'static str),
    /// Only after `=`, so that the next word stays an argument.
    Optional(&'static str),
}

#[derive(Debug)]
pub struct Opt {
    pub id: Id,
    pub long: &'static str,
    pub short: Option<char>,
    pub value: Value,
    pub help: &'static str,
    pub group: Group,
    pub env: EnvVar,
    /// Options that cannot be combined with this one.
    pub excludes: &'static [Id],
}

/// Every option. When an option is repeated, its last value counts (so that a shell alias can be
/// overridden), except for those that collect values.
#[rustfmt::skip]
pub static OPTIONS: &[Opt] = &[
    Opt { id: Id::Port, long: "port", short: Some('p'), value: Value::Needed("PORT"), group: Group::Listen, env: EnvVar::OwnOr("PORT"), excludes: &[],
        help: "the port, as the second argument; 0 takes any" },
    Opt { id: Id::Bind, long: "bind", short: Some('b'), value: Value::Needed("ADDR[:PORT]"), group: Group::Listen, env: EnvVar::Own, excludes: &[Id::Lan],
        help: "listen on this address; may be repeated" },
    Opt { id: Id::Lan, long: "lan", short: None, value: Value::None, group: Group::Listen, env: EnvVar::Own, excludes: &[Id::Bind],
        help: "listen on every address, so that others can reach it" },
    Opt { id: Id::Index, long: "index", short: None, value: Value::Needed("NAME"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "the file for a folder; may be repeated (index.html)" },
    Opt { id: Id::Spa, long: "spa", short: Some('s'), value: Value::Optional("FILE"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "a missing page is this one (index); also --single" },
    Opt { id: Id::NoListing, long: "no-listing", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "a folder without an index is 404 and not listed" },
    Opt { id: Id::NoCleanUrls, long: "no-clean-urls", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "/about does not stand for about.html" },
    Opt { id: Id::Hidden, long: "hidden", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "serve names that begin with a dot" },
    Opt { id: Id::Symlinks, long: "symlinks", short: None, value: Value::Needed("WHICH"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "follow `inside` links only, `all` or `none` (inside)" },
    Opt { id: Id::PortableNames, long: "portable-names", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "refuse names that Windows reads otherwise" },
    Opt { id: Id::Cache, long: "cache", short: None, value: Value::Needed("SECONDS"), group: Group::Served, env: EnvVar::Own, excludes: &[Id::NoStore],
        help: "clients use a file so long without asking (0)" },
    Opt { id: Id::NoStore, long: "no-store", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[Id::Cache, Id::Immutable],
        help: "clients keep no file" },
    Opt { id: Id::Immutable, long: "immutable", short: None, value: Value::None, group: Group::Served, env: EnvVar::Own, excludes: &[Id::NoStore],
        help: "a year for names with a hash, as app.3f2a9c1b.js" },
    Opt { id: Id::Mime, long: "mime", short: None, value: Value::Needed("EXT=TYPE"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "the type of an extension or name; may be repeated" },
    Opt { id: Id::FileCache, long: "file-cache", short: None, value: Value::Needed("BYTES"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "memory for small files: 0, 512K, 64M, 1G (16M)" },
    Opt { id: Id::Mount, long: "mount", short: None, value: Value::Needed("/PATH=DIR"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "serve DIR below /PATH/ as well; may be repeated" },
    Opt { id: Id::Auth, long: "auth", short: Some('a'), value: Value::Needed("USER:PASS"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "let in this user alone; may be repeated" },
    Opt { id: Id::AuthFile, long: "auth-file", short: None, value: Value::Needed("FILE"), group: Group::Served, env: EnvVar::Own, excludes: &[],
        help: "let in the users of a file, a line USER:PASS each" },
    Opt { id: Id::Threads, long: "threads", short: None, value: Value::Needed("N"), group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "worker threads, exactly so many (as many as CPUs)" },
    Opt { id: Id::MaxConns, long: "max-conns", short: None, value: Value::Needed("N"), group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "open connections; beyond, idle ones close (10000)" },
    Opt { id: Id::MaxConnsPerIp, long: "max-conns-per-ip", short: None, value: Value::Needed("N"), group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "open ones of one IPv4 address or IPv6 /64 (any)" },
    Opt { id: Id::Grace, long: "grace", short: None, value: Value::Needed("SECONDS"), group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "how long a stop waits for running requests (10)" },
    Opt { id: Id::Drain, long: "drain", short: None, value: Value::Needed("SECONDS"), group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "before a stop, serve on with Connection: close (0)" },
    Opt { id: Id::Quiet, long: "quiet", short: Some('q'), value: Value::None, group: Group::Run, env: EnvVar::Own, excludes: &[],
        help: "print errors only: no banner, warnings or log" },
    Opt { id: Id::Help, long: "help", short: Some('h'), value: Value::None, group: Group::About, env: EnvVar::None, excludes: &[],
        help: "print this help" },
    Opt { id: Id::Version, long: "version", short: Some('V'), value: Value::None, group: Group::About, env: EnvVar::None, excludes: &[],
        help: "print the version" },
];

/// Other long names, which people know from other programs.
pub const ALIASES: &[(&str, Id)] = &[("single", Id::Spa)];

/// Options that people know from other programs and that this one deliberately lacks, each with the
/// alternative.
pub const REFUSED: &[(&[&str], &str)] = &[
    (
        &["tls", "cert", "key", "https"],
        "doorstep speaks plain HTTP: for HTTPS put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`",
    ),
    (
        &["http2"],
        "doorstep speaks HTTP/1.1: for HTTP/2 put a proxy before it, such as `caddy reverse-proxy --from localhost:8443 --to :8000`",
    ),
    (
        &["webdav"],
        "doorstep never writes a file: for WebDAV use another server, such as `rclone serve webdav DIR`",
    ),
    (
        &["directory"],
        "the folder is an argument of its own: `doorstep DIR`",
    ),
];

impl Opt {
    pub fn of(id: Id) -> &'static Opt {
        // Every Id has a row: the test `every_option_has_one_row` looks at each.
        let row = OPTIONS.iter().find(|option| option.id == id);
        row.unwrap_or(&OPTIONS[0])
    }

    /// The variables that may set this option; the first that is set counts.
    pub fn variables(&self) -> Vec<String> {
        let own = || format!("DOORSTEP_{}", self.long.to_uppercase().replace('-', "_"));
        match self.env {
            EnvVar::None => Vec::new(),
            EnvVar::Own => vec![own()],
            EnvVar::OwnOr(other) => vec![own(), other.to_string()],
        }
    }

    pub fn by_long(name: &str) -> Option<&'static Opt> {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
        match alias {
            Some((_, id)) => Some(Opt::of(*id)),
            None => OPTIONS.iter().find(|option| option.long == name),
        }
    }

    pub fn by_short(letter: char) -> Option<&'static Opt> {
        OPTIONS.iter().find(|option| option.short == Some(letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_one_row() {
        let count = |is_same: &dyn Fn(&Opt) -> bool| {
            OPTIONS.iter().filter(|option| is_same(option)).count()
        };
        for option in OPTIONS {
            let (id, long, short) = (option.id, option.long, option.short);
            assert!(std::ptr::eq(Opt::of(id), option), "two rows for {long}");
            assert!(long.len() > 1, "{long} is taken for a letter");
            assert_eq!(count(&|other| other.long == long), 1);
            if short.is_some() {
                assert_eq!(count(&|other| other.short == short), 1);
            }
            for other in option.excludes {
                let is_mutual = Opt::of(*other).excludes.contains(&id);
                assert!(is_mutual, "{long} is one-sided");
            }
            assert!(!ALIASES.iter().any(|(alias, _)| *alias == long));
            assert!(!REFUSED.iter().any(|(names, _)| names.contains(&long)));
        }
        use Id::*;
        let long = [NoCleanUrls, PortableNames, MaxConnsPerIp];
        let short = [
            Port, Bind, Lan, Index, Spa, NoListing, Hidden, Symlinks, Cache, NoStore, Immutable,
            Mime, FileCache, Mount, Auth, AuthFile, Threads, MaxConns, Grace, Drain, Quiet, Help,
            Version,
        ];
        for id in short.into_iter().chain(long) {
            assert_eq!(Opt::of(id).id, id);
        }
    }

    #[test]
    fn variable_names_derive_from_the_long_name() {
        assert_eq!(Opt::of(Id::Port).variables(), ["DOORSTEP_PORT", "PORT"]);
        assert_eq!(Opt::of(Id::Grace).variables(), ["DOORSTEP_GRACE"]);
        assert!(Opt::of(Id::Help).variables().is_empty());
    }
}
