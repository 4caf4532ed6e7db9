/* SPDX-License-Identifier: Apache-2.0
 * Interactive consoles of a running guest. */
#pragma once

enum console {
	CONSOLE_SERIAL = 1, /* its first serial port: raw bytes */
	CONSOLE_DISPLAY     /* its screen, keyboard and mouse: the RFB protocol (VNC) */
};
