/* SPDX-License-Identifier: Apache-2.0
 * Which consoles a running guest has for people. */
#pragma once

enum console {
	CONSOLE_SERIAL = 1, /* its first serial port: bytes as they are */
	CONSOLE_DISPLAY     /* its screen, keyboard and mouse: the RFB protocol (VNC) */
};
