//! The same page for every request, on <http://127.0.0.1:8080/>.
use doorstep::{Response, Server};
fn main() -> std::io::Result<()> {
    Server::bind("127.0.0.1:8080")?.serve(|_| Response::html("<!doctype html><h1>Hello</h1>"))
}
