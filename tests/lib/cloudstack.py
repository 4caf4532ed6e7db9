# SPDX-License-Identifier: Apache-2.0
"""Calls of CloudStack's API, signed as its clients sign."""
import base64
import hashlib
import hmac
import http.client
import json
import subprocess
import threading
import types
import urllib.parse

import cloud
import waiting
from dev import DARI


def dump():
    """The tables of `dari dump cloudstack`, which the face itself uses."""
    return json.loads(subprocess.run([DARI, "dump", "cloudstack"], check=True, capture_output=True).stdout)


def sign(secret, parameters):
    text = "&".join(f"{k}={urllib.parse.quote(v, safe='')}" for k, v in sorted(parameters.items(), key=lambda p: p[0].lower()))
    return base64.b64encode(hmac.new(secret.encode(), text.lower().encode(), hashlib.sha1).digest()).decode()


kept = threading.local()  # .connections: by port


def send(port, form, post, more=None):
    """Status and text of an answer, over a persistent connection."""
    method, path, body = ("POST", "/client/api", form) if post else ("GET", f"/client/api?{form}", None)
    headers = {**({"Content-Type": "application/x-www-form-urlencoded"} if post else {}), **(more or {})}
    connections = kept.__dict__.setdefault("connections", {})
    for retry in (False, True):  # the server may have closed the idle connection, or this may be another region
        connection = connections.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=waiting.HANG_S))
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (http.client.HTTPException, ConnectionError):
            del connections[port]
            if retry:
                raise
    return None


def call(dev, command, post=False, _secret=None, _key=None, _headers=None, **parameters):
    """Returns (status, the object in the answer, its name)."""
    parameters = {"command": command, "response": "json", "apiKey": _key or dev.account.key_id, **parameters}
    parameters["signature"] = sign(_secret or dev.account.secret, parameters)
    form = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
    status, body = send(dev.port, form, post, _headers)
    assert "\n" not in body  # Marvin reads a single line
    (name, inner), = json.loads(body).items()
    return status, inner, name


def wait(dev, answer, **who):
    """Waits for a job; returns (status, result)."""
    job = {}

    def has_ended():
        status, said, _ = call(dev, "queryAsyncJobResult", jobid=answer["jobid"], **who)
        assert status == 200 and said["jobid"] == answer["jobid"] and said["jobprocstatus"] == 0, said
        assert said["jobstatus"] != 0 or "jobresult" not in said, said
        job.update(said)
        return said["jobstatus"] != 0
    waiting.wait_until(has_ended, f"the job {answer['jobid']}", shows=lambda: job, every_s=0.05)
    assert "completed" in job and job["jobresulttype"] == "object" and job["jobresultcode"] == (530 if job["jobstatus"] == 2 else 0)
    return job["jobstatus"], job["jobresult"]


def key_of(project):
    """An access key of the project's user (cloud.py), as arguments of call()."""
    made = project.ok("POST", f"/identity/v3/users/{project.user_id}/credentials/OS-EC2", {"tenant_id": project.id})["credential"]
    return {"_key": made["access"], "_secret": made["secret"]}


def admin_key(dev):
    """An access key of the region's administrator."""
    return key_of(cloud.admin(dev))


def of_region(region, account):
    """A region of real guests (region.py), with that account's key, as first argument of call()."""
    key_id, secret = region.keys[account]
    return types.SimpleNamespace(port=region.port, account=types.SimpleNamespace(key_id=key_id, secret=secret))


def ok(dev, command, **parameters):
    """Calls a command that must succeed; returns the answer, or the result of its job."""
    status, answer, _ = call(dev, command, **parameters)
    assert status == 200, answer
    return finish(dev, answer, **who_of(parameters)) if "jobid" in answer else answer


def who_of(parameters):
    """The caller's key among a call's parameters."""
    return {name: value for name, value in parameters.items() if name in ("_key", "_secret")}


def finish(dev, answer, **who):
    """The result of a job that must succeed."""
    status, result = wait(dev, answer, **who)
    assert status == 1, result
    return result


def refused(dev, command, **parameters):
    """Calls a command that must fail; returns (error code, message) of the answer or of its job."""
    status, answer, _ = call(dev, command, **parameters)
    if status == 200:
        status, answer = wait(dev, answer, **who_of(parameters))
        assert status == 2, answer
    return answer["errorcode"], answer["errortext"]


def let_users_expunge(dev):
    """Allows owners of machines to expunge and recover them."""
    assert call(dev, "updateConfiguration", name="allow.user.expunge.recover.vm", value="true", **admin_key(dev))[0] == 200
