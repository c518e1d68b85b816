//! The table of media types, and how a name is looked up in it.

use crate::tree::Tree;
use doorstep::Method;
use doorstep::internals::files::media_types::{all, of};
use std::time::{Duration, SystemTime};

#[test]
fn a_name_has_the_type_of_its_extension() {
    let rows = [
        ("index.html", "text/html; charset=utf-8"),
        ("INDEX.HTML", "text/html; charset=utf-8"),
        ("a/b.c/style.Css", "text/css; charset=utf-8"),
        // RFC 9239 §6
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("app.min.js", "text/javascript; charset=utf-8"),
        // RFC 8259 §11
        ("data.json", "application/json"),
        ("site.webmanifest", "application/manifest+json"),
        ("feed.xml", "application/xml; charset=utf-8"),
        ("door.svg", "image/svg+xml; charset=utf-8"),
        ("notes.md", "text/markdown; charset=utf-8"),
        ("notes.txt", "text/plain; charset=utf-8"),
        ("main.rs", "text/plain; charset=utf-8"),
        ("street.png", "image/png"),
        ("a.jpeg", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.avif", "image/avif"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.pdf", "application/pdf"),
        ("a.mp4", "video/mp4"),
        ("a.mp3", "audio/mpeg"),
        ("a.tar.gz", "application/gzip"),
        ("ios.mobileconfig", "application/x-apple-aspen-config"),
        ("a.zip", "application/zip"),
        (".html", "text/html; charset=utf-8"),
        ("", UNKNOWN),
        ("html", UNKNOWN),
        ("a.", UNKNOWN),
        ("a.html.", UNKNOWN),
        ("a.html/", UNKNOWN),
        ("a.html/b", UNKNOWN),
        ("a.nosuchtype", UNKNOWN),
        ("a.htmlhtmlhtmlhtmlhtml", UNKNOWN),
        ("a. html", UNKNOWN),
    ];
    for (name, expected) in rows {
        assert_eq!(of(name.as_bytes()), expected, "{name}");
    }
    assert_eq!(of(b"\xFF.\xFF"), UNKNOWN);
    assert_eq!(of(b"a.html\0"), UNKNOWN);
    assert_eq!(of(&[b'.'; 9000]), UNKNOWN);
}

#[test]
fn the_table_can_be_searched() {
    let table: Vec<(&str, &str)> = all().collect();
    assert!(table.len() >= 1400, "{}", table.len());
    for pair in table.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
    }
    for (extension, media_type) in &table {
        assert_eq!(*extension, extension.to_ascii_lowercase());
        assert!((1..=24).contains(&extension.len()), "{extension}");
        for name in [
            format!("x.{extension}"),
            format!("X.{}", extension.to_ascii_uppercase()),
        ] {
            assert_eq!(of(name.as_bytes()), *media_type, "{name}");
        }
    }
}

/// (who asks for it, name, type). `pypac_79` is the record of the proxy's settings.
#[rustfmt::skip]
const ASKED_FOR: &[(&str, &str, &str)] = &[
    ("a browser's modules", "a.mjs", "text/javascript; charset=utf-8"),
    ("a browser's WebAssembly", "a.wasm", "application/wasm"),
    ("a browser's import map", "a.importmap", "application/importmap+json"),
    ("a browser's manifest", "a.webmanifest", "application/manifest+json"),
    ("a browser's signed exchange", "a.sxg", "application/signed-exchange;v=b3"),
    ("a browser's proxy", "proxy.pac", "application/x-ns-proxy-autoconfig"),
    ("pypac#79: a proxy by name", "wpad.dat", "application/x-ns-proxy-autoconfig"),
    ("pypac#79: other data", "other.dat", "application/octet-stream"),
    ("a browser's images", "a.avif", "image/avif"),
    ("a browser's images", "a.jxl", "image/jxl"),
    ("a browser's extension", "a.crx", "application/x-chrome-extension"),
    ("a browser's extension", "a.xpi", "application/x-xpinstall"),
    ("a browser's archive", "a.mhtml", "message/rfc822"),
    ("developer tools", "a.js.map", "application/json"),
    ("calendars", "a.ics", "text/calendar; charset=utf-8"),
    ("address books", "a.vcf", "text/vcard; charset=utf-8"),
    ("maps", "a.gpx", "application/gpx+xml; charset=utf-8"),
    ("maps", "a.kml", "application/vnd.google-earth.kml+xml; charset=utf-8"),
    ("maps", "a.geojson", "application/geo+json"),
    ("maps", "a.pmtiles", "application/vnd.pmtiles"),
    ("tables", "a.parquet", "application/vnd.apache.parquet"),
    ("augmented reality", "a.usdz", "model/vnd.usdz+zip"),
    ("scenes", "a.glb", "model/gltf-binary"),
    ("players: a list", "a.m3u8", "application/vnd.apple.mpegurl"),
    ("players: a list", "a.mpd", "application/dash+xml; charset=utf-8"),
    ("players: a segment", "a.ts", "video/mp2t"),
    ("players: a camera's video", "00001.MTS", "video/mp2t"),
    ("players: a segment", "a.m4s", "video/iso.segment"),
    ("players: a track", "a.cmfv", "video/mp4"),
    ("players: a track", "a.cmfa", "audio/mp4"),
    ("players: subtitles", "a.sub", "text/plain; charset=utf-8"),
    ("players: music", "a.opus", "audio/ogg"),
    ("players: music", "a.flac", "audio/flac"),
    ("Android", "a.apk", "application/vnd.android.package-archive"),
    ("iOS", "manifest.plist", "application/xml; charset=utf-8"),
    ("iOS", "a.ipa", "application/octet-stream"),
    ("Windows", "a.msi", "application/x-msi"),
    ("Windows", "a.application", "application/x-ms-application"),
    ("Windows", "a.appinstaller", "application/appinstaller"),
    ("macOS", "a.dmg", "application/x-apple-diskimage"),
    ("macOS", "a.pkg", "application/octet-stream"),
    ("Debian", "a.deb", "application/vnd.debian.binary-package"),
    ("Debian's installer", "a.udeb", "application/vnd.debian.binary-package"),
    ("Fedora", "a.rpm", "application/x-rpm"),
    ("Linux", "a.AppImage", "application/vnd.appimage"),
    ("Flatpak", "a.flatpakref", "application/vnd.flatpak.ref"),
    ("Flatpak", "a.flatpakrepo", "application/vnd.flatpak.repo"),
    ("pip", "a-1.0-py3-none-any.whl", "application/octet-stream"),
    ("Java", "a.jnlp", "application/x-java-jnlp-file"),
    ("fonts", "a.otf", "font/otf"),
    ("fonts", "a.ttc", "font/collection"),
    ("fonts, old", "a.pfb", "application/x-font-type1"),
    // RFC 8615: without an extension, by its rules.
    ("iOS: links to applications", ".well-known/apple-app-site-association", "application/json"),
    ("that name with an extension", "apple-app-site-association.json", "application/json"),
];

#[test]
fn clients_get_the_types_that_they_ask_for() {
    for (who, name, expected) in ASKED_FOR {
        assert_eq!(of(name.as_bytes()), *expected, "{who}: {name}");
    }
}

/// `mime_guess_75`: files without an extension that people read.
#[test]
fn known_names_are_text() {
    #[rustfmt::skip]
    const TEXT: [&str; 40] = [
        "LICENSE", "README", "Makefile", "Dockerfile", "COPYING", "NOTICE", "AUTHORS", "CHANGELOG", "CONTRIBUTING",
        "INSTALL", "TODO", "VERSION", "SHA256SUMS", "MD5SUMS", "SUMS", "Release", "InRelease", "Packages", "Sources",
        "PKGBUILD", "go.mod", "go.sum", "a/b.c/LICENSE", "LICENSE-MIT", "LICENSE_1_0", "LICENSE.APACHE",
        "COPYING.LESSER", "Dockerfile.dev", "README.Debian", "README-first", "Makefile.linux", "makefile", "readme",
        "ChangeLog", "Jenkinsfile", "_redirects", "_headers", "py.typed", "PKG-INFO", "CNAME",
    ];
    #[rustfmt::skip]
    const OTHER: [&str; 22] = [
        "licenses", "Licensed", "XREADME", "install", "Install", "release", "packages", "Packages-all", "BUILD-7",
        "control.x", "LICENSE/", "LICENSE/x", "README.md/x", "-LICENSE", ".LICENSE", " LICENSE", "LICENSE ", "",
        "sums", "SUMS1", "wpad-dat", "apple-app-site-association2",
    ];
    for name in TEXT {
        assert_eq!(of(name.as_bytes()), "text/plain; charset=utf-8", "{name}");
    }
    for name in OTHER {
        assert_eq!(of(name.as_bytes()), UNKNOWN, "{name}");
    }
    // The extension counts before the name.
    for (name, expected) in [
        ("README.md", "text/markdown; charset=utf-8"),
        ("LICENSE.html", "text/html; charset=utf-8"),
        ("VERSION.bin", UNKNOWN),
        ("Packages.gz", "application/gzip"),
    ] {
        assert_eq!(of(name.as_bytes()), expected, "{name}");
    }
}

/// `nikola_1380`, `connect_477`: a kind whose name says that it is packed says it in the headers.
#[test]
fn packed_kinds_say_so() {
    let tree = Tree::new();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a.svgz", "a.svgz.gz", "a.svgz.br", "a.svg", "a.svg.gz"] {
        tree.file(name, name.repeat(100)).modified(name, old);
    }
    let content = "a.svgz".repeat(100);
    let all = "identity;q=1, *;q=0";
    // Accept-Encoding
    for accepted in [
        "",
        "gzip",
        "br, gzip;q=0",
        "identity",
        all,
        "gzip, identity;q=0",
        "*;q=0",
    ] {
        let lines = [("Accept-Encoding", accepted)];
        for ms in [1_000, 1_001, 9_000] {
            let get = tree.send_at(ms, Method::Get, "/a.svgz", &lines);
            let head = tree.send_at(ms, Method::Head, "/a.svgz", &lines);
            assert_eq!(
                (get.status, get.text().as_str()),
                (200, content.as_str()),
                "{accepted}"
            );
            assert_eq!(get.fields, head.fields, "{accepted}");
            for (field, expected) in [
                ("Content-Type", "image/svg+xml; charset=utf-8"),
                ("Content-Encoding", "gzip"),
                ("Vary", "Accept-Encoding"),
                ("Accept-Ranges", "bytes"),
            ] {
                assert_eq!(get.header_value(field), expected, "{accepted}");
            }
        }
    }
    let tag = tree.get("/a.svgz").header_value("ETag").to_string();
    let again = tree.get_with("/a.svgz", &[("If-None-Match", &tag)]);
    assert_eq!(
        (again.status, again.header_value("Vary")),
        (304, "Accept-Encoding")
    );
    // Range, status, content: parts of the packed file, and never several of them.
    for (range, status, expected) in [
        ("bytes=2-3", 206, "sv"),
        ("bytes=-4", 206, "svgz"),
        ("bytes=0-0,500-500", 200, content.as_str()),
        ("bytes=600-", 416, ""),
    ] {
        let answer = tree.get_with("/a.svgz", &[("Range", range)]);
        assert_eq!(answer.status, status, "{range}");
        if status < 400 {
            assert_eq!(answer.text(), expected, "{range}");
            assert_eq!(answer.header_value("Content-Encoding"), "gzip", "{range}");
        }
    }
    // name, coding, essence: who unpacks it, or wants it packed
    for (name, coding, essence) in [
        ("scene.x3dz", "gzip", "model/x3d+xml"),
        ("scene.x3dvz", "gzip", "model/x3d-vrml"),
        ("scene.x3djz", "gzip", "model/x3d+json"),
        ("scene.x3dbz", "gzip", "model/x3d+binary"),
        ("world.wrz", "gzip", "model/vrml"),
        ("B.SVGZ", "gzip", "image/svg+xml"),
        ("a.svg", "", "image/svg+xml"),
        ("a.svg.gz", "", "application/gzip"),
        ("a.svgz.gz", "", "application/gzip"),
        ("a.svgz.br", "", "application/x-brotli"),
        ("a.tgz", "", "application/gzip"),
        ("a.tar.gz", "", "application/gzip"),
        ("a.tar.zst", "", "application/zstd"),
        ("a.emz", "", "application/x-msmetafile"),
        ("a.wmz", "", "application/x-ms-wmz"),
        ("a.gnumeric", "", "application/x-gnumeric"),
        (
            "a.docx",
            "",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("svgz", "", "application/octet-stream"),
        ("a.svgz.", "", "application/octet-stream"),
    ] {
        let answer = tree.file(name, name).get(&format!("/{name}"));
        let found = answer.header_value("Content-Type").split(';').next();
        assert_eq!(answer.header_value("Content-Encoding"), coding, "{name}");
        assert_eq!(found, Some(essence), "{name}");
    }
}

/// (extension, type, who registered the type: an RFC, or the tree of the registry and its owner)
#[rustfmt::skip]
const REGISTERED: &[(&str, &str, &str)] = &[
    ("3g2", "video/3gpp2", "RFC 4393"),
    ("3gp", "video/3gpp", "RFC 3839"),
    ("aac", "audio/aac", "standards tree, ISO/IEC 14496-3"),
    ("ac3", "audio/ac3", "RFC 4184"),
    ("amr", "audio/amr", "RFC 4867"),
    ("apk", "application/vnd.android.package-archive", "vendor tree, Google"),
    ("apng", "image/apng", "standards tree, W3C"),
    ("atom", "application/atom+xml", "RFC 4287"),
    ("au", "audio/basic", "RFC 2046"),
    ("avif", "image/avif", "standards tree, Alliance for Open Media"),
    ("bmp", "image/bmp", "RFC 7903"),
    ("cbor", "application/cbor", "RFC 8949"),
    ("cer", "application/pkix-cert", "RFC 2585"),
    ("crl", "application/pkix-crl", "RFC 2585"),
    ("css", "text/css", "RFC 2318"),
    ("csv", "text/csv", "RFC 4180"),
    ("deb", "application/vnd.debian.binary-package", "vendor tree, Debian"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "vendor tree, Ecma"),
    ("dtd", "application/xml-dtd", "RFC 7303"),
    ("emf", "image/emf", "RFC 7903"),
    ("eml", "message/rfc822", "RFC 2046"),
    ("epub", "application/epub+zip", "standards tree, W3C"),
    ("exe", "application/vnd.microsoft.portable-executable", "vendor tree, Microsoft"),
    ("fits", "application/fits", "RFC 4047"),
    ("flac", "audio/flac", "RFC 9639"),
    ("geojson", "application/geo+json", "RFC 7946"),
    ("gif", "image/gif", "RFC 2046"),
    ("glb", "model/gltf-binary", "standards tree, Khronos"),
    ("gltf", "model/gltf+json", "standards tree, Khronos"),
    ("gz", "application/gzip", "RFC 6713"),
    ("heic", "image/heic", "standards tree, ISO/IEC 23008-12"),
    ("html", "text/html", "standards tree, W3C; before, RFC 2854"),
    ("ico", "image/vnd.microsoft.icon", "vendor tree, Microsoft"),
    ("ics", "text/calendar", "RFC 5545"),
    ("jp2", "image/jp2", "RFC 3745"),
    ("jpg", "image/jpeg", "RFC 2046"),
    ("jrd", "application/jrd+json", "RFC 7033"),
    ("js", "text/javascript", "RFC 9239"),
    ("json", "application/json", "RFC 8259"),
    ("jsonld", "application/ld+json", "standards tree, W3C"),
    ("jxl", "image/jxl", "standards tree, ISO/IEC 18181-2"),
    ("kml", "application/vnd.google-earth.kml+xml", "vendor tree, Google"),
    ("m3u8", "application/vnd.apple.mpegurl", "vendor tree, Apple; RFC 8216"),
    ("m4a", "audio/mp4", "RFC 4337"),
    ("mathml", "application/mathml+xml", "standards tree, W3C"),
    ("mbox", "application/mbox", "RFC 4155"),
    ("md", "text/markdown", "RFC 7763"),
    ("meta4", "application/metalink4+xml", "RFC 5854"),
    ("mjs", "text/javascript", "RFC 9239"),
    ("mkv", "video/matroska", "RFC 9559"),
    ("mp3", "audio/mpeg", "RFC 3003"),
    ("mp4", "video/mp4", "RFC 4337"),
    ("mpd", "application/dash+xml", "standards tree, ISO/IEC 23009-1"),
    ("mpeg", "video/mpeg", "RFC 2046"),
    ("mxf", "application/mxf", "RFC 4539"),
    ("obj", "model/obj", "standards tree, DICOM"),
    ("odt", "application/vnd.oasis.opendocument.text", "vendor tree, OASIS"),
    ("ogv", "video/ogg", "RFC 5334"),
    ("opus", "audio/ogg", "RFC 7845"),
    ("otf", "font/otf", "RFC 8081"),
    ("p10", "application/pkcs10", "RFC 5967"),
    ("p12", "application/pkcs12", "standards tree, IETF; the format is RFC 7292"),
    ("p7s", "application/pkcs7-signature", "RFC 8551"),
    ("p8", "application/pkcs8", "RFC 5958"),
    ("parquet", "application/vnd.apache.parquet", "vendor tree, Apache"),
    ("pdf", "application/pdf", "RFC 8118"),
    ("png", "image/png", "standards tree, W3C"),
    ("ps", "application/postscript", "RFC 2046"),
    ("rdf", "application/rdf+xml", "RFC 3870"),
    ("sig", "application/pgp-signature", "RFC 3156"),
    ("smil", "application/smil+xml", "RFC 4536"),
    ("sql", "application/sql", "RFC 6922"),
    ("sqlite", "application/vnd.sqlite3", "vendor tree, SQLite"),
    ("step", "model/step", "standards tree, ISO 10303-21"),
    ("stl", "model/stl", "standards tree, DICOM"),
    ("svg", "image/svg+xml", "standards tree, W3C"),
    ("tif", "image/tiff", "RFC 3302"),
    ("tsv", "text/tab-separated-values", "standards tree, University of Minnesota"),
    ("ttc", "font/collection", "RFC 8081"),
    ("ttf", "font/ttf", "RFC 8081"),
    ("ttl", "text/turtle", "standards tree, W3C"),
    ("txt", "text/plain", "RFC 2046"),
    ("usdz", "model/vnd.usdz+zip", "vendor tree, Pixar"),
    ("vcf", "text/vcard", "RFC 6350"),
    ("vtt", "text/vtt", "standards tree, W3C"),
    ("wasm", "application/wasm", "standards tree, W3C"),
    ("webmanifest", "application/manifest+json", "standards tree, W3C"),
    ("webp", "image/webp", "RFC 9649"),
    ("woff", "font/woff", "RFC 8081"),
    ("woff2", "font/woff2", "RFC 8081"),
    ("xhtml", "application/xhtml+xml", "RFC 3236"),
    ("xml", "application/xml", "RFC 7303"),
    ("yaml", "application/yaml", "RFC 9512"),
    ("yang", "application/yang", "RFC 6020"),
    ("zip", "application/zip", "standards tree"),
    ("zst", "application/zstd", "RFC 8878"),
];

#[test]
fn a_registered_type_is_used() {
    assert!(REGISTERED.len() >= 60);
    for (extension, expected, registration) in REGISTERED {
        let found = of(format!("x.{extension}").as_bytes());
        let essence = found.split(';').next().unwrap_or_default();
        assert_eq!(essence, *expected, "{extension}: {registration}");
    }
}

/// RFC 9110 §8.3: a type and a subtype, which are tokens, and at most the one parameter that we
/// set: on text, and on XML (RFC 7303 §3).
#[test]
fn each_type_is_valid_and_text_has_a_charset() {
    const KINDS: [&str; 9] = [
        "application",
        "audio",
        "chemical",
        "font",
        "image",
        "message",
        "model",
        "text",
        "video",
    ];
    for (extension, media_type) in all() {
        // The version is a part of what browsers accept.
        let media_type = media_type.strip_suffix(";v=b3").unwrap_or(media_type);
        let (bare, charset) = match media_type.strip_suffix("; charset=utf-8") {
            Some(bare) => (bare, true),
            None => (media_type, false),
        };
        let (kind, subtype) = bare.split_once('/').expect("a slash");
        assert!(KINDS.contains(&kind), "{extension}: {media_type}");
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
        let token = !subtype.is_empty() && subtype.bytes().all(fine);
        assert!(token, "{extension}: {media_type}");
        let text = kind == "text" || is_xml(subtype);
        assert_eq!(charset, text, "{extension}: {media_type}");
    }
}

/// Text that people upload stays text: a browser runs, or reads as a document that can hold
/// scripts, only files with one of these extensions.
#[test]
fn browsers_run_only_the_known_types() {
    #[rustfmt::skip]
    const RUN: [&str; 8] = ["cjs", "htm", "html", "js", "mjs", "shtml", "svg", "svgz"];
    #[rustfmt::skip]
    const XML: [&str; 150] = [
        "1km", "aml", "atom", "atomcat", "atomdeleted", "atomsvc", "bdo", "bmml", "ccxml", "cdxml", "cpl", "csl", "dae", "dash",
        "davmount", "dbk", "dcmp", "dd2", "ddf", "dfxp", "dtd", "dwd", "emma", "emotionml", "es3", "et3", "fdt", "fo", "gml",
        "gpx", "grxml", "hal", "held", "ink", "inkml", "irp", "its", "kml", "lasxml", "lbe", "lgr", "link66", "lostxml", "mads",
        "maei", "mathml", "meta4", "metalink", "mets", "mml", "mods", "mpd", "mpf", "mpkg", "mrcx", "mscml", "musd", "musicxml",
        "mxml", "ncx", "obgx", "omdoc", "opf", "osfpvg", "osm", "owl", "owx", "plist", "provx", "pskcxml", "rapd", "rdf",
        "relo", "rfcxml", "rif", "rl", "rld", "rng", "rsat", "rsd", "rsheet", "rss", "rusd", "sbml", "sdkd", "sdkm", "senmlx",
        "sensmlx", "shf", "sls", "smi", "smil", "sru", "srx", "ssml", "stpx", "svg", "svgz", "swidtag", "tcx", "td", "tei",
        "teicorpus", "tfi", "ttml", "uo", "uoml", "uvt", "uvvt", "vxml", "wadl", "wbs", "wif", "wsdl", "wspolicy", "x3d",
        "x3dz", "xaml", "xav", "xca", "xcs", "xdcf", "xdf", "xdm", "xdp", "xdssc", "xel", "xenc", "xer", "xht", "xhtm", "xhtml",
        "xhvml", "xlf", "xml", "xns", "xop", "xpl", "xsd", "xsf", "xsl", "xslt", "xsm", "xspf", "xul", "xvm", "xvml", "yin",
        "zaz", "zmm",
    ];
    for (extension, media_type) in all() {
        let essence = media_type.split(';').next().unwrap_or_default();
        let (_, subtype) = essence.split_once('/').expect("a slash");
        let run = matches!(essence, "text/html" | "text/javascript" | "image/svg+xml");
        assert_eq!(run, RUN.contains(&extension), "{extension}: {media_type}");
        let xml = is_xml(subtype);
        assert_eq!(xml, XML.contains(&extension), "{extension}: {media_type}");
        // The older names of JavaScript, and a type that makes a browser guess.
        let older = ["javascript", "ecmascript", "jscript", "livescript"];
        let odd = !run && older.iter().any(|name| subtype.contains(name));
        assert!(!odd && essence != "text/xml", "{extension}: {media_type}");
    }
}

fn is_xml(subtype: &str) -> bool {
    subtype.starts_with("xml") || subtype.ends_with("+xml")
}

const UNKNOWN: &str = "application/octet-stream";
