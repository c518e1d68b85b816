//! JSON by RFC 8259, and nothing besides.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    False,
    True,
    /// In its spelling.
    Number(String),
    Text(String),
    Array(Vec<Value>),
    /// In the order of the text.
    Object(Vec<(String, Value)>),
}

/// The value of this text. Panics when it is invalid.
pub fn parse(text: &str) -> Value {
    let mut reader = Reader { rest: text };
    let value = reader.value();
    reader.space();
    assert_eq!(reader.rest, "", "more after the value");
    value
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn must(&mut self, sign: &str) {
        assert!(self.takes(sign), "no {sign} at {:.20}", self.rest);
    }

    fn value(&mut self) -> Value {
        self.space();
        if self.takes("null") {
            Value::Null
        } else if self.takes("false") {
            Value::False
        } else if self.takes("true") {
            Value::True
        } else if self.takes("[") {
            Value::Array(self.list("]", Reader::value))
        } else if self.takes("{") {
            Value::Object(self.list("}", |reader| {
                reader.space();
                let key = reader.text();
                reader.space();
                reader.must(":");
                (key, reader.value())
            }))
        } else if self.rest.starts_with('"') {
            Value::Text(self.text())
        } else {
            Value::Number(self.number())
        }
    }

    fn list<T>(&mut self, end: &str, element: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut all = Vec::new();
        self.space();
        if self.takes(end) {
            return all;
        }
        loop {
            all.push(element(self));
            self.space();
            if self.takes(end) {
                return all;
            }
            self.must(",");
        }
    }

    /// Only whole numbers: `int` of RFC 8259 §6.
    fn number(&mut self) -> String {
        let end = self.rest.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        assert!(digits == "0" || !digits.is_empty() && !digits.starts_with('0'));
        self.rest = rest;
        digits.to_string()
    }

    fn text(&mut self) -> String {
        self.must("\"");
        let mut text = String::new();
        loop {
            let c = self.rest.chars().next().expect("a string has an end");
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '"' => return text,
                '\\' => text.push(self.escaped()),
                c => {
                    // RFC 8259 §7: "unescaped = %x20-21 / %x23-5B / %x5D-10FFFF"
                    assert!(c >= ' ', "a control character in a string");
                    text.push(c);
                }
            }
        }
    }

    fn escaped(&mut self) -> char {
        let kind = self.rest.chars().next().expect("a string has an end");
        self.rest = &self.rest[kind.len_utf8()..];
        match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\x08',
            'f' => '\x0C',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (digits, rest) = self.rest.split_at(4);
                self.rest = rest;
                let digits = digits.bytes().map(|byte| char::from(byte).to_digit(16));
                let code = digits.fold(0, |code, digit| code * 16 + digit.expect("a digit"));
                // Surrogate pairs, for characters beyond 16 bits, are written by nobody here.
                char::from_u32(code).expect("a character")
            }
            other => panic!("no escape: {other}"),
        }
    }
}
