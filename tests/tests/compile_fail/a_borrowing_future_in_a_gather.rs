//! A gather makes tasks of futures, which cannot borrow; `join` polls them in place, and they can.

async fn lengths(texts: &[String]) -> usize {
    corio::gather(texts.iter().map(|text| async move { text.len() })).await.unwrap().len()
}

fn main() {
    let _ = lengths;
}
