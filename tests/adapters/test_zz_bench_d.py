import time
from tests.support.people import *
async def test_b(server, person):
    H=person.headers|{"accept":"application/json, text/event-stream"}
    async def mcp(n):
        r=await server.client.post("/mcp",json={"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"recall","arguments":{"question":"where"}}},headers=H); assert r.status_code==200
    async def ping(n):
        r=await server.client.post("/mcp",json={"jsonrpc":"2.0","id":1,"method":"ping"},headers=H); assert r.status_code==200
    async def rest(n):
        r=await server.client.post("/agents/memories/search",json={"query":"where"},headers=person.headers); assert r.status_code==200
    for f in (mcp,ping,rest,mcp,ping,rest):
        t=time.perf_counter()
        for n in range(100): await f(n)
        print(f.__name__, (time.perf_counter()-t)*10,"ms")
