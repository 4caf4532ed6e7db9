/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/network/: maps the IP configurations of an interface to the addresses of its port. The
 * configurations are stored as the client sent them. The primary one has the port's first address, one with a
 * static address has that address, and the others share the remaining addresses in order. */
#pragma once

#include "api/azure/network/network.h"
#include "engine/network/port/port.h"

struct az_ip_config {
	struct str name;
	struct ip said; /* none: any */
	bool is_static, is_primary;
	struct ip ip;            /* none: it has none */
	const struct port *port; /* in an answer */
};
struct az_ip_configs {
	struct az_ip_config *at;
	size_t count;
};

/* Lists the port's IPv4 addresses, the primary address first. */
size_t az_list_ips(const struct tables *t, const struct port *p, struct ip ips[static PORT_IPS_MAX]);
/* Fills in .ip. */
void az_give_ips(struct az_ip_config *configs, size_t count, const struct ip *ips, size_t ip_count);
struct az_ip_configs az_list_configs(struct az_call *e, const struct port *p);

extern const struct api_listing az_interfaces;
