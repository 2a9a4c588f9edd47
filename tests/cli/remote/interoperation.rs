//! Records that the client of the makers of the server reads, and those that it has written.

use super::server::Server;
use crate::support::{Run, ipc};

const SCRIPT: &str = "
import asyncio, json, nats, sys

async def main():
    client = await nats.connect(sys.argv[1])
    js = client.jetstream()
    segments = await js.key_value('ipc-shm')
    entry = await segments.get('eu.config')
    print(entry.value.decode(), entry.revision)
    await segments.put('eu.config', b'from python')
    locks = await js.key_value('ipc-lock')
    holder = json.loads((await locks.get('job')).value)
    print(holder['command'], holder['ttl'])
    await client.close()

asyncio.run(main())
";

#[test]
fn another_client_reads_and_writes_the_same_records() {
    let (Some(server), Some(python)) = (Server::start(), Server::python()) else { return };
    let (name, url) = (server.name("eu/config"), format!("nats://127.0.0.1:{}", server.port));
    ipc(&["shm", "write", &name]).input("from ipc").is(0, "", "");
    let python = python.to_str().unwrap();
    let run = ["lock", "run", "--ttl", "7s", &server.name("job"), "--", python, "-c", SCRIPT, &url];
    ipc(&run).is(0, &format!("from ipc 1\n{python} 7.0\n"), "");
    ipc(&["shm", "cat", &name]).is(0, "from python", "");
    // A key that another client has removed is gone.
    let remove = "import asyncio, nats, sys\nasync def main():\n client = await nats.connect(sys.argv[1])\n \
                  segments = await client.jetstream().key_value('ipc-shm')\n \
                  await segments.delete('eu.config')\n await client.close()\nasyncio.run(main())";
    Run::new(python, &["-c", remove, &url]).is(0, "", "");
    ipc(&["shm", "rm", "-f", &name]).is(0, "", "");
    ipc(&["shm", "create", &name, "--size", "4"]).is(0, "", "");
}
