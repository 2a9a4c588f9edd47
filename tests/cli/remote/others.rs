//! Objects that `ipc` shares with the engine's own client, nats-py.

use super::server::Server;
use crate::support::{Run, binary, code, ipc, text, until};

/// Runs the body of an asynchronous function of Python with a connection `nc` and JetStream `js`.
fn run(server: &Server, body: &str) -> String {
    let Some(python) = Server::python() else { return String::new() };
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let program = format!(
        "import asyncio, nats\n\
         async def main():\n    \
         nc = await nats.connect('nats://127.0.0.1:{}')\n    \
         js = nc.jetstream()\n\
         {lines}    \
         await nc.close()\n\
         asyncio.run(main())\n",
        server.port
    );
    let output = Run::new(&python, &["-c", &program]).output();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn messages_are_shared_with_other_clients_both_ways() {
    let Some(server) = Server::start() else { return };
    if Server::python().is_none() {
        return;
    }
    let name = server.name("eu/jobs");
    ipc(&["mq", "send", "--create", &name, "from ipc"]).is(0, "", "");
    let received = run(
        &server,
        "sub = await js.pull_subscribe_bind('p0', 'IPC-MQ-eu~1jobs')\n\
         [message] = await sub.fetch(1, timeout=10)\n\
         print(message.subject, message.data)\n\
         await message.ack_sync()\n\
         await js.publish('ipc.mq.eu.jobs.0', b'from python')\n\
         await js.publish('ipc.mq.eu.jobs.12', b'first')",
    );
    assert_eq!(received, "ipc.mq.eu.jobs.0 b'from ipc'\n");
    ipc(&["mq", "recv", "--show-priority", "--all", &name]).is(
        0,
        "12\tfirst\n0\tfrom python\n",
        "",
    );
}

#[test]
fn procedures_are_shared_with_other_clients_both_ways() {
    let Some(server) = Server::start() else { return };
    if Server::python().is_none() {
        return;
    }
    let name = server.name("double");
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let line = "read n; echo $((2 * n))";
    let serving =
        ipc(&["door", "serve", &name, "--ready", ready.to_str().unwrap(), "--", "sh", "-c", line])
            .start();
    until("it serves", || std::fs::metadata(&ready).is_ok_and(|file| file.len() > 0));
    let answer = run(
        &server,
        "answer = await nc.request('ipc.door.double', b'21', timeout=10)\n\
         print(answer.data, answer.headers)",
    );
    assert_eq!(answer, "b'42\\n' {'Ipc-Status': '0'}\n");
    drop(serving);
    let called = run(
        &server,
        &format!(
            "async def answer(message):\n    \
             await message.respond(message.data * 2)\n\
             await nc.subscribe('ipc.door.twice', cb=answer)\n\
             await nc.flush()\n\
             words = ['{}', 'door', 'call', '{}', 'ab']\n\
             process = await asyncio.create_subprocess_exec(*words, stdout=-1)\n\
             print((await process.communicate())[0], process.returncode)",
            binary().display(),
            server.name("twice")
        ),
    );
    assert_eq!(called, "b'abab' 0\n");
}
