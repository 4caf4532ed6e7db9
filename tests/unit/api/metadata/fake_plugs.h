/* SPDX-License-Identifier: Apache-2.0
 * drivers/plug.h on loopback: what was plugged, and where. Any thread. */
#pragma once

#include "drivers/plug.h"

struct fake_plugs {
	unsigned failures; /* that many next calls fail */
	unsigned failed;   /* so many did */
	unsigned plugged;  /* routers that are */
	size_t links;      /* count of the newest plugs_set_links() */
	struct plug_wish last;
	uint16_t web_port, udp_port, tcp_port; /* ports of the newest sockets */
};

struct plugs *fake_plugs(void);
void fake_plugs_reset(unsigned failures);
struct fake_plugs fake_plugs_read(void);
int fake_socket(int type, uint16_t *ret_port); /* on 127.0.0.1; listening if a stream's */
