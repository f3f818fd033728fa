use corio_hyper::{Executor, Io, Sleep, Timer};
use corio_net::TcpStream;

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn hyper_may_move_what_it_holds() {
    is_send_and_sync::<Executor>();
    is_send_and_sync::<Timer>();
    is_send_and_sync::<Sleep>();
    is_send_and_sync::<Io<std::net::TcpStream>>();
}

#[test]
fn a_connection_may_be_what_it_is() {
    fn is_stream<T: hyper::rt::Read + hyper::rt::Write + Unpin>() {}
    is_stream::<Io<TcpStream>>();
    is_stream::<Io<&TcpStream>>();
    is_stream::<Io<Io<Io<TcpStream>>>>();
}
