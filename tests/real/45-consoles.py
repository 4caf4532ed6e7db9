#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/api/console src/http/bridge.c
"""Consoles of guests under libvirt, through websockets: a command typed on the serial port and its output, while the log continues; the display's
size and picture, also by EC2; and ends of consoles."""
import base64
import io
import os
import struct
import sys

from PIL import Image
import websocket

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from region import HANG_S, Region, launch, wait_state, wait_until  # noqa: E402


def console(project, server, protocol, kind):
    return project.call("POST", f"/compute/v2.1/servers/{server}/remote-consoles",
                        {"remote_console": {"protocol": protocol, "type": kind}}, version="compute 2.6")


def open_socket(region, project, server, protocol, kind):
    answer = console(project, server, protocol, kind)
    assert answer.status == 200, answer
    token = answer.json["remote_console"]["url"].rsplit("token", 1)[1].replace("%3D", "=")
    return websocket.create_connection(f"ws://127.0.0.1:{region.port}/console/websocket?token{token}", timeout=HANG_S)


def hear_until(socket, words):
    heard = b""
    while words not in heard:
        heard += socket.recv()
    return heard


def hear(socket, size):
    heard = b""
    while len(heard) < size:
        heard += socket.recv()
    return heard


def many_times(region, project, server, older):
    """Each connection replaces the previous one while that is in use: no libvirt call may be left hanging."""
    answered = 0
    for n in range(20):
        newer = open_socket(region, project, server, "serial", "serial")
        older.shutdown()
        newer.send_binary(b"\recho again-$((%d + 1))-\r" % n)
        answered += b"again-%d-" % (n + 1) in hear_until(newer, b"again-%d-" % (n + 1))
        older = newer
    region.check("twenty consoles, one after another", answered == 20)
    return older


def serial(region, project, server, ec2, identifier):
    socket = open_socket(region, project, server, "serial", "serial")
    socket.send_binary(b"\r")
    hear_until(socket, b"# ")
    socket.send_binary(b"echo one-$((40 + 2))-two\r")
    region.check("a command typed on the serial port answers there", b"one-42-two" in hear_until(socket, b"one-42-two"))
    wait_until(lambda: "one-42-two" in ec2.get_console_output(InstanceId=identifier).get("Output", ""), "the log")
    region.check("the console's log has it, too", True)
    newer = open_socket(region, project, server, "serial", "serial")
    try:
        while socket.recv():
            pass
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
    socket.shutdown()
    newer.send_binary(b"\recho three-$((1 + 2))-four\r")
    region.check("who opens it anew has it", b"three-3-four" in hear_until(newer, b"three-3-four"))
    newer = many_times(region, project, server, newer)
    newer.send_binary(b"dd if=/dev/zero bs=1000 count=500 2>/dev/null | tr '\\0' x; echo; echo all-$((2 + 2))-out\r")
    heard = hear_until(newer, b"all-4-out")
    region.check(f"half a megabyte comes whole ({heard.count(b'x')})", heard.count(b"x") >= 500000)
    return newer


def display(region, project, server):
    socket = open_socket(region, project, server, "vnc", "novnc")
    region.check("the display speaks RFB", hear(socket, 12) == b"RFB 003.008\n")
    socket.send_binary(b"RFB 003.008\n")
    count = hear(socket, 2)[0]
    region.check("it asks for no password: the ticket was one", count == 1)
    socket.send_binary(b"\1")
    hear(socket, 4)
    socket.send_binary(b"\1")
    width, height = struct.unpack(">HH", hear(socket, 24)[:4])
    region.check(f"it has a size: {width}x{height}", width >= 640 and height >= 350)
    socket.send_binary(struct.pack(">BBHi", 2, 0, 1, 0))  # raw pixels only
    socket.send_binary(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    drawn = hear(socket, 4 + 12 + width * height)
    kind, _, count, x, y, wide, high, encoding = struct.unpack(">BBHHHHHi", drawn[:16])
    region.check(f"it shows {wide}x{high} at {x},{y}", kind == 0 and count >= 1 and encoding == 0 and len(set(drawn[16:])) > 1)
    return socket


def picture(region, ec2, identifier):
    drawn = base64.b64decode(ec2.get_console_screenshot(InstanceId=identifier, WakeUp=True)["ImageData"])
    with Image.open(io.BytesIO(drawn)) as image:
        colours = image.convert("RGB").getcolors(image.width * image.height)
        region.check(f"the screen's picture is a {image.format} of {image.width}x{image.height} in {len(colours)} colours",
                     image.format == "JPEG" and image.width >= 640 and len(colours) > 2)


def refuses_picture(ec2, identifier):
    try:
        ec2.get_console_screenshot(InstanceId=identifier)
    except ec2.exceptions.ClientError as error:
        return error.response["Error"]["Code"] == "IncorrectInstanceState"
    return False


def main():
    with Region("co") as region:
        ec2 = region.account("people")
        user = region.command("user", "create", "anna", "--account", "people")
        project = lib.Project(region, "people", "anna", user["password"])
        identifier = launch(ec2)[0]
        wait_state(ec2, [identifier], "running")
        wait_until(lambda: "dari-tiny: ready" in ec2.get_console_output(InstanceId=identifier).get("Output", ""), "booted")
        server = project.ok("GET", "/compute/v2.1/servers")["servers"][0]["id"]
        port = serial(region, project, server, ec2, identifier)
        screen = display(region, project, server)
        picture(region, ec2, identifier)
        ec2.stop_instances(InstanceIds=[identifier], Force=True)
        for name, socket in (("serial port", port), ("display", screen)):
            try:
                while socket.recv():
                    pass
                ended = True
            except (websocket.WebSocketConnectionClosedException, ConnectionError):
                ended = True
            except websocket.WebSocketTimeoutException:
                ended = False
            region.check(f"the {name}'s console ends with the guest", ended)
        wait_state(ec2, [identifier], "stopped")
        region.check("a guest that is off has none", console(project, server, "serial", "serial").status == 409)
        region.check("nor a picture", refuses_picture(ec2, identifier))
        ec2.start_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "running")
        again = open_socket(region, project, server, "serial", "serial")
        region.check("on again, it says how it boots", b"dari-tiny" in hear_until(again, b"dari-tiny: ready"))
        region.kill_dari()
        region.start_dari()
        again = open_socket(region, project, server, "serial", "serial")
        again.send_binary(b"\recho five-$((2 + 3))\r")
        region.check("after a kill of dari it opens again", b"five-5" in hear_until(again, b"five-5"))
        again.close()
        ec2.terminate_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "terminated")
        region.check("nothing is left", region.audit() == [])


if __name__ == "__main__":
    main()
