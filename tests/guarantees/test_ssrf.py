"""No address that a tenant chose leads into the network that Stead is in; no secret comes back from a call.

The same guard stands before everything that calls addresses of others.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from stead.actions import WebhookInvalid, Webhooks
from stead.db.embedded import psql_path
from stead.tools import (
    AddressRefused,
    ConfiguredSecrets,
    Guard,
    HttpTools,
    Toolbox,
    ToolOutcome,
    ToolSecret,
    catalog,
    guarded_client,
)
from stead.tools.guard import is_public, system_resolver
from tests.guarantees.acts import SECRET, Works
from tests.http.conftest import captured_logs
from tests.servers.faulty import answering, faulty_server
from tests.tools.calls import call_of, tool

CANARY = "CANARY-key-that-nobody-may-see-again"
PUBLIC = "93.184.215.14"


class Network(httpx.AsyncBaseTransport):
    """What would be connected to, instead of the internet."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))


class Names:
    """A resolver that gives one answer after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def _call(guard: Guard, network: Network, url: str, **config: Any) -> ToolOutcome:
    secrets = ConfiguredSecrets(
        {"key": ToolSecret(value=CANARY, hosts=frozenset({"api.example.com", "127.0.0.1"}))}
    )
    box = Toolbox([HttpTools(guard, secrets, inner=network)])
    try:
        return await box.execute(call_of(tool(config={"url": url, **config}, timeout_s=2.0)))
    finally:
        await box.aclose()


INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",  # metadata: AWS, GCP, Azure
    "169.254.170.2",  # metadata: ECS
    "100.100.100.200",  # metadata: Alibaba, in the carriers' space
    "192.0.0.192",  # metadata: Oracle
    "168.63.129.16",  # Azure's own, in public space
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata: AWS
    "ff02::1",
    "5f00::1",
    "100::1",
]


@pytest.mark.parametrize("address", INSIDE)
async def test_a_name_of_an_address_inside_is_refused(address: str) -> None:
    network, names = Network(), Names([address])
    outcome = await _call(Guard(resolver=names), network, "https://api.example.com/x")
    assert (outcome.kind, outcome.code) == ("permanent", "address_refused")
    # Also beside one that is public: whichever would be taken.
    mixed = await _call(Guard(resolver=Names([PUBLIC, address])), network, "https://api.example.com/x")
    assert mixed.code == "address_refused"
    assert network.requests == []


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::200e"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]", "localhost",
     "LOCALHOST.", "169.254.169.254", "[fe80::1]", "[64:ff9b::7f00:1]", "①②⑦.⓪.⓪.①"],
)  # fmt: skip
async def test_an_address_inside_is_refused_however_it_is_spelt(host: str) -> None:
    """By this machine's own resolver, whatever it takes for an address."""
    network = Network()
    outcome = await _call(Guard(), network, f"https://{host}/x")
    assert outcome.kind in {"permanent", "retryable"}
    assert outcome.code in {"address_refused", "address_unknown"}
    assert network.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "https://api.example.com:22/",
        "https://api.example.com:8443/",
        "https://api.example.com@127.0.0.1/",
        "https://user:password@api.example.com/",
        "https://api.example.com\\@127.0.0.1/",
        "https:///etc/passwd",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "ftp://api.example.com/",
        "unix:///var/run/docker.sock",
        "https://[::1/",
        "https://api.example.com:99999/",
    ],
)
async def test_a_url_that_is_not_https_to_a_host_is_refused(url: str) -> None:
    network = Network()
    outcome = await _call(Guard(resolver=Names([PUBLIC])), network, url)
    assert outcome.kind == "permanent"
    assert outcome.code in {"address_refused", "tool_invalid"}
    assert network.requests == []


async def test_the_address_that_was_looked_at_is_the_one_that_is_called() -> None:
    """A name that means something else a moment later (rebinding)."""
    names, network = Names([PUBLIC], ["127.0.0.1"]), Network()
    outcome = await _call(Guard(resolver=names), network, "https://api.example.com/x")
    assert outcome.kind == "succeeded"
    assert len(names.asked) == 1
    (request,) = network.requests
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "api.example.com"
    assert request.extensions["sni_hostname"] == "api.example.com"
    # The next call looks again.
    again = await _call(Guard(resolver=names), network, "https://api.example.com/x")
    assert again.code == "address_refused"
    assert len(network.requests) == 1


async def test_an_address_of_version_6_is_called_as_one() -> None:
    network = Network()
    outcome = await _call(
        Guard(resolver=Names(["2606:4700:4700::1111"])), network, "https://api.example.com/x"
    )
    assert outcome.kind == "succeeded"
    assert str(network.requests[0].url) == "https://[2606:4700:4700::1111]/x"
    assert network.requests[0].headers["host"] == "api.example.com"


async def test_a_name_that_changes_to_this_machine_does_not_reach_it() -> None:
    async with faulty_server() as server:
        guard = Guard(resolver=Names(["127.0.0.1"]))
        for url in (f"https://api.example.com:{server.port}/", "https://api.example.com/"):
            outcome = await _call(guard, Network(), url)
            assert outcome.code == "address_refused"
    assert server.connections == 0


@pytest.mark.parametrize(("name", "accepted"), [("api.example.com", True), ("other.example.com", False)])
async def test_tls_is_spoken_with_the_name(tmp_path: Path, name: str, accepted: bool) -> None:
    """The address is connected to, and the certificate must be that of the name."""
    authority, server_tls = _certificate(tmp_path, name)
    asked: list[str | None] = []
    server_tls.sni_callback = lambda _, asked_name, __: asked.append(asked_name)
    async with faulty_server(tls=server_tls) as server:
        host = f"api.example.com:{server.port}"
        guard = Guard(allowed=frozenset({host}), resolver=Names(["127.0.0.1"]))
        trusting = ssl.create_default_context(cafile=str(authority))
        async with guarded_client(guard, httpx.AsyncHTTPTransport(verify=trusting)) as client:
            if accepted:
                assert (await client.get(f"https://{host}/")).status_code == 200
                assert server.heard[0].headers["host"] == host
            else:
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    await client.get(f"https://{host}/")
                assert server.heard == []
    assert asked == ["api.example.com"]


def _certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for that name, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    return certificate, context


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 X"]
)
async def test_a_redirect_is_not_followed(status: str) -> None:
    async with faulty_server() as inside:
        to_inside = answering(status, b"", f"location: {inside.url}/latest/meta-data")
        async with faulty_server(answer=to_inside) as server:
            allowed = Guard(allowed=frozenset({f"127.0.0.1:{server.port}"}))
            box = Toolbox([HttpTools(allowed, ConfiguredSecrets({}))])
            outcome = await box.execute(call_of(tool(config={"url": server.url, "method": "GET"})))
            await box.aclose()
            assert outcome.kind == "permanent"
            # Where a client does follow, each hop is looked at.
            async with guarded_client(allowed) as client:
                with pytest.raises(AddressRefused):
                    await client.get(server.url, follow_redirects=True)
    assert inside.connections == 0


async def test_what_a_setting_allows_is_that_host_and_port_alone() -> None:
    async with faulty_server() as server:
        guard = Guard(allowed=frozenset({f"127.0.0.1:{server.port}"}))
        async with guarded_client(guard) as client:
            assert (await client.get(f"{server.url}/x")).status_code == 200
            for url in (f"http://127.0.0.1:{server.port + 1}/", f"http://127.0.0.2:{server.port}/"):
                with pytest.raises(AddressRefused):
                    await client.get(url)


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with faulty_server() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with faulty_server() as server:
            guard = Guard(allowed=frozenset({f"127.0.0.1:{server.port}"}))
            async with guarded_client(guard) as client:
                await client.get(server.url)
    assert (proxy.connections, server.connections) == (0, 1)


async def test_the_systems_resolver() -> None:
    assert "127.0.0.1" in await system_resolver("127.0.0.1", 443)
    assert await system_resolver("2130706433", 443) == ["127.0.0.1"]


@pytest.mark.parametrize("behaviour", ["answer", "black_hole", "reset", "reset_mid_body", "closed"])
async def test_no_secret_is_in_a_log_an_error_or_an_outcome(behaviour: str) -> None:
    def echo(heard: Any) -> bytes:
        return answering("200 OK", str(heard.headers).encode(), f"x-request-id: {CANARY}")

    secrets = ConfiguredSecrets({"key": ToolSecret(value=CANARY, hosts=frozenset({"127.0.0.1"}))})
    guard = Guard(allowed=frozenset({"127.0.0.1"}))
    with captured_logs() as logs:
        async with faulty_server(behaviour, echo) as server:
            box = Toolbox([HttpTools(guard, secrets)])
            headers = {"authorization": "Bearer {secret:key}", "x-also": "{secret:key}"}
            config = {"url": f"{server.url}/{{id}}", "headers": headers}
            outcome = await box.execute(
                call_of(tool(config=config, timeout_s=0.5), {"id": "CANARY-argument"})
            )
            await box.aclose()
        if behaviour != "closed":
            assert CANARY in server.heard[0].headers["authorization"]
    assert "CANARY" not in logs.text
    assert CANARY not in str(outcome)
    assert CANARY not in repr(secrets) + repr(vars(secrets))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://hooks.example.com:22/",
        "https://user:password@hooks.example.com/",
    ],
)
async def test_a_webhook_does_not_lead_inside(acting: Works, url: str) -> None:
    """Not when it is made, nor when it is sent: whatever stands in the row by then."""
    hooks = Webhooks(acting.db, CANARY, Guard())
    with pytest.raises(WebhookInvalid):
        async with acting.db.transaction(acting.service) as tx:
            await hooks.put(tx, acting.service, url, ["*"])
    await hooks.aclose()
    # "localhost" is a name like any other until it is looked up.
    for stored in (url, "https://localhost/"):
        await acting.admin.execute(
            "insert into stead.webhook_endpoints (tenant_id, url, events) values ($1, $2, '{*}')",
            acting.tenant.id,
            stored,
        )
    await acting.propose("transfer", order="o")
    worker = await acting.worker().start()
    try:
        await acting.until(
            "select count(*) = 2 from public.outbox where provider = 'webhook' and status = 'failed' "
            "and error_code = 'address_refused'"
        )
    finally:
        assert await worker.stop() == 0


async def test_no_secret_is_in_what_is_stored_or_said_of_an_action(acting: Works) -> None:
    """A provider that repeats the secret that it was sent; searched for in a dump and in the log of the worker."""

    def echo(heard: Any) -> bytes:
        return answering("200 OK", str(heard.headers).encode(), f"x-request-id: {CANARY}")

    async with faulty_server(answer=echo) as server:
        host = f"127.0.0.1:{server.port}"
        config = {"url": f"{server.url}/do", "headers": {"authorization": "Bearer {secret:key}"}}
        spec = tool("ship", config=config, risk="medium", timeout_s=1.0)
        async with acting.db.transaction(acting.service) as tx:
            await catalog.put(tx, acting.service, spec)
        hooks = Webhooks(acting.db, SECRET, Guard(allowed=frozenset({host})))
        async with acting.db.transaction(acting.service) as tx:
            _, signs = await hooks.put(tx, acting.service, f"{server.url}/told", ["*"])
        await hooks.aclose()
        secrets = json.dumps({"key": {"value": CANARY, "hosts": ["127.0.0.1"]}})
        worker = await acting.worker(STEAD_TOOL_HOSTS=host, STEAD_TOOL_SECRETS=secrets).start()
        try:
            await acting.propose("ship", order="o1")
            await acting.all_still()
            server.behaviour = "reset_mid_body"
            await acting.propose("ship", order="o2")
            await acting.until(
                "select exists (select from public.outbox where status = 'outcome_unknown')"
            )
            await acting.until("select not exists (select from stead.outcomes_to_index)")
        finally:
            assert await worker.stop() == 0
        assert sum(CANARY in heard.headers.get("authorization", "") for heard in server.heard) == 2
    dump = await asyncio.to_thread(
        subprocess.run,
        [str(psql_path().with_name("pg_dump")), "--dbname", str(acting.access.admin_url), "--inserts"],
        capture_output=True,
        check=True,
    )
    said = "\n".join(worker.log)
    for secret in (CANARY, signs, signs.removeprefix("whsec_"), SECRET):
        assert secret.encode() not in dump.stdout
        assert secret not in said
    # What was looked through holds what was done.
    assert b"o2" in dump.stdout
