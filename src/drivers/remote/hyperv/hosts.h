/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: the servers of a provider, which are one host or the members of a failover cluster. */
#pragma once

#include "drivers/remote/hyperv/wsman.h"

enum { HYPERV_HOSTS_MAX = 64 };

struct hyperv_host {
	struct str name;    /* zone of its machines */
	struct str address; /* name that it is reached by; empty: the endpoint's */
};
struct hyperv_hosts {
	struct hyperv_host at[HYPERV_HOSTS_MAX]; /* ascending by name */
	size_t count;
};

/* True if the provider is a cluster. */
bool hyperv_is_cluster(const struct remote *r);
/* Lists the servers that are up. */
RESULT hyperv_list_hosts(struct wsman_link *l, struct hyperv_hosts *ret_hosts);
/* Name of the endpoint's server, and of its cluster. */
RESULT hyperv_read_host_name(struct wsman_link *l, struct str *ret_name);
RESULT hyperv_read_cluster_name(struct wsman_link *l, struct str *ret_name);
/* Begins a call to that server. */
RESULT hyperv_open_host(struct wsman_link *l, const struct wsman_link *endpoint,
			const struct hyperv_host *host);
