//! The table of media types, and how a name is looked up in it.

use doorstep::internals::files::media_types::{all, of};

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
        ("Makefile", UNKNOWN),
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
    let table = all();
    assert!(table.len() >= 400, "{}", table.len());
    for pair in table.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
    }
    for (extension, media_type) in table {
        assert_eq!(*extension, extension.to_ascii_lowercase());
        for name in [
            format!("x.{extension}"),
            format!("X.{}", extension.to_ascii_uppercase()),
        ] {
            assert_eq!(of(name.as_bytes()), *media_type, "{name}");
        }
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
    const KINDS: [&str; 8] = [
        "application",
        "audio",
        "font",
        "image",
        "message",
        "model",
        "text",
        "video",
    ];
    for (extension, media_type) in all() {
        let (bare, charset) = match media_type.strip_suffix("; charset=utf-8") {
            Some(bare) => (bare, true),
            None => (*media_type, false),
        };
        let (kind, subtype) = bare.split_once('/').expect("a slash");
        assert!(KINDS.contains(&kind), "{extension}: {media_type}");
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
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
    const RUN: [&str; 7] = ["cjs", "htm", "html", "js", "mjs", "shtml", "svg"];
    #[rustfmt::skip]
    const XML: [&str; 39] = [
        "atom", "dae", "dash", "dfxp", "dtd", "gml", "gpx", "kml", "mathml", "meta4", "mml", "mpd", "musicxml", "ncx", "opf",
        "osm", "owl", "owx", "plist", "rdf", "rng", "rss", "smil", "srx", "ssml", "tcx", "ttml", "wadl", "wsdl", "x3d", "xht",
        "xhtml", "xlf", "xml", "xsd", "xsl", "xslt", "xspf", "svg",
    ];
    for (extension, media_type) in all() {
        let essence = media_type.split(';').next().unwrap_or_default();
        let (_, subtype) = essence.split_once('/').expect("a slash");
        let run = matches!(essence, "text/html" | "text/javascript" | "image/svg+xml");
        assert_eq!(run, RUN.contains(extension), "{extension}: {media_type}");
        let xml = is_xml(subtype);
        assert_eq!(xml, XML.contains(extension), "{extension}: {media_type}");
        // The older names of JavaScript, and a type that makes a browser guess.
        let odd = subtype.contains("script") && !run && subtype != "postscript";
        assert!(!odd && essence != "text/xml", "{extension}: {media_type}");
    }
}

fn is_xml(subtype: &str) -> bool {
    subtype.starts_with("xml") || subtype.ends_with("+xml")
}

const UNKNOWN: &str = "application/octet-stream";
