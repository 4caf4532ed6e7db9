/* SPDX-License-Identifier: Apache-2.0
 * Paths of the pages for guests' consoles: faces answer with these URLs, and api/console/ serves them. */
#pragma once

#include "base/str.h"
#include "model/console.h"

#define CONSOLE_PREFIX "/console/"
#define CONSOLE_SERIAL_PAGE CONSOLE_PREFIX "serial"
#define CONSOLE_DISPLAY_PAGES CONSOLE_PREFIX "vnc/" /* noVNC's folder */
#define CONSOLE_SOCKET CONSOLE_PREFIX "websocket"

/* The URL of the page that opens the console with that ticket. base_url is how the client reached
 * us. noVNC takes the path of the socket from its query, as in the URLs that Nova answers. In the
 * arena. */
static inline struct str console_url(struct arena *a, struct str base_url, enum console console,
				     struct str ticket)
{
	if (console == CONSOLE_SERIAL)
		return str_print(a, "%" STR_FMT CONSOLE_SERIAL_PAGE "?token=%" STR_FMT, STR_ARG(base_url),
				 STR_ARG(ticket));
	return str_print(
		a,
		"%" STR_FMT CONSOLE_DISPLAY_PAGES
		"vnc.html?autoconnect=true&resize=scale&path=console%%2Fwebsocket%%3Ftoken%%3D%" STR_FMT,
		STR_ARG(base_url), STR_ARG(ticket));
}
