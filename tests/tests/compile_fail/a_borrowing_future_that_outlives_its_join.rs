//! A join lives no longer than what its futures borrow.

fn main() {
    let joined = {
        let text = String::from("borrowed");
        corio::join((async { text.len() }, async { 1 }))
    };
    corio::run(joined).unwrap();
}
