//! Heads as common clients send them, for the benches of parsing.

const WRK: &str =
    "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n\r\n";

const CURL: &str = "GET /index.html HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n";

const BROWSER: &str = "GET /assets/2024/images/header-large@2x.png?v=3f9a1c HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.com/articles/on-the-weather.html\r\n\
    Connection: keep-alive\r\n\
    Cookie: session=9c2f4b8a1d7e4f60b3a5; theme=dark; consent=1%2C2%2C5\r\n\
    Sec-Fetch-Dest: image\r\n\
    Sec-Fetch-Mode: no-cors\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Priority: u=5, i\r\n\
    If-None-Match: \"5f3a-17c2b9e4d1\"\r\n\
    Cache-Control: max-age=0\r\n\r\n";

/// A browser's head with four cookies of 1 KiB.
fn cookies() -> String {
    let start = BROWSER.trim_end_matches("\r\n");
    let cookie = "k=".to_owned() + &"0123456789abcdefghijklmnopqrstuv".repeat(32);
    let cookies = [&cookie[..]; 4].join("; ");
    format!("{start}\r\nCookie: {cookies}\r\n\r\n")
}

/// Names and heads.
pub fn heads() -> [(&'static str, String); 4] {
    [
        ("wrk", WRK.to_owned()),
        ("curl", CURL.to_owned()),
        ("browser", BROWSER.to_owned()),
        ("cookies", cookies()),
    ]
}
