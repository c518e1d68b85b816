//! Takes HTML apart in the plainest way: anything but tags, quoted attributes, text and the five
//! entities is an error.

/// A piece of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Token<'a> {
    /// A tag with its attributes.
    Open(&'a str, Vec<(&'a str, String)>),
    Close(&'a str),
    /// The text between tags, its entities replaced.
    Text(String),
}

impl Token<'_> {
    /// The value of an attribute, if this is the start tag of such an element.
    pub fn attribute(&self, tag: &str, name: &str) -> Option<&str> {
        match self {
            Token::Open(this, attributes) if *this == tag => {
                let found = attributes.iter().find(|(this, _)| *this == name);
                found.map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }
}

/// The tokens of a page. The elements `raw` hold exactly these texts.
pub fn tokens<'a>(page: &'a str, raw: &[(&str, &str)]) -> Vec<Token<'a>> {
    let mut rest = page
        .strip_prefix("<!doctype html>\n")
        .expect("a document type");
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        let (text, behind) = rest.split_at(end);
        assert!(!text.contains('>'), "a sign in the text: {text}");
        if !text.is_empty() {
            tokens.push(Token::Text(plain(text)));
        }
        let Some(behind) = behind.strip_prefix('<') else {
            break;
        };
        // No value has this character in it, which `attributes` ensures.
        let (tag, behind) = behind.split_once('>').expect("a tag ends");
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            tokens.push(Token::Close(name));
            continue;
        }
        let (name, attributes) = match tag.split_once(' ') {
            Some((name, attributes)) => (name, self::attributes(attributes)),
            None => (tag, Vec::new()),
        };
        tokens.push(Token::Open(name, attributes));
        if let Some((_, text)) = raw.iter().find(|(this, _)| *this == name) {
            rest = rest.strip_prefix(text).expect("always the same");
        }
    }
    tokens
}

fn attributes(mut rest: &str) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').expect("a value ends"),
            None => ("", behind),
        };
        assert!(
            behind.is_empty() || behind.starts_with(' '),
            "no space: {behind}"
        );
        assert!(!value.contains('<'), "a sign in a value: {value}");
        all.push((name, plain(value)));
        rest = behind.strip_prefix(' ').unwrap_or_default();
    }
    all
}

/// With entities replaced.
fn plain(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut plain = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let (entity, behind) = piece.split_once(';').expect("an entity ends");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "#39" => '\'',
            other => panic!("not one of the five: {other}"),
        });
        plain.push_str(behind);
    }
    plain
}

/// Every tag has the attributes of one of [`TEMPLATE`], and is closed in turn.
pub fn assert_template(tokens: &[Token<'_>]) {
    let mut open = Vec::new();
    for token in tokens {
        match token {
            Token::Open(name, attributes) => {
                let mut tag = name.to_string();
                for (attribute, _) in attributes {
                    tag.push(' ');
                    tag.push_str(attribute);
                }
                assert!(TEMPLATE.contains(&tag.as_str()), "not of the page: {tag}");
                if !WITHOUT_END.contains(name) {
                    open.push(*name);
                }
            }
            Token::Close(name) => assert_eq!(open.pop(), Some(*name)),
            Token::Text(_) => {}
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

/// The text right after each such tag.
pub fn inner_text(tokens: &[Token<'_>], tag: &str) -> Vec<String> {
    let pairs = tokens.windows(2);
    let inner = pairs.filter_map(|pair| match pair {
        [Token::Open(this, _), Token::Text(text)] if *this == tag => Some(text.clone()),
        _ => None,
    });
    inner.collect()
}

/// A tag and the names of its attributes.
const TEMPLATE: &[&str] = &[
    "html lang",
    "meta charset",
    "meta name content",
    "title",
    "style",
    "nav aria-label",
    "h1",
    "a href",
    "a href aria-current",
    "bdi",
    "p",
    "p id hidden",
    "label",
    "input type autocomplete",
    "output",
    "table",
    "thead",
    "tr",
    "tr class",
    "th scope",
    "th scope aria-sort",
    "tbody",
    "td",
    "td title",
    "td colspan",
    "time datetime",
    "span",
    "script",
];
const WITHOUT_END: [&str; 3] = ["html", "meta", "input"];
