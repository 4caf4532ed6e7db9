/* SPDX-License-Identifier: Apache-2.0
 * The running control plane: its configuration, its parts, in the order they start and stop. */
#pragma once

#include "auth/limit.h"
#include "auth/sigv4.h"
#include "base/config.h"
#include "base/crypto.h"
#include "drivers/plug.h"
#include "http/server.h"
#include "reconcile/reconcile.h"
#include "store/store.h"

/* The configuration file, /etc/dari/dari.yaml (daemon/settings.c has the keys and their meaning). */
struct settings {
	struct str region, region_id, data_directory, control_socket, log_level;
	struct str listen_ip, tls_certificate, tls_key;
	int64_t listen_port;
	struct str endpoint; /* what clients are told; empty: made from the listener */
	struct str ovn_northbound, ovs_database, chassis;
	struct strs dns_upstreams;
	int64_t shutdown_grace_s, host_interval_s;
	int64_t connections, connections_per_address;
	struct limits_config limits;
};

/* Reads and checks the file; strings in c's arena. */
RESULT settings_load(struct ctx *c, const char *path, struct settings *ret_settings);
/* The text of a new file for `dari init`. */
struct str settings_write(struct arena *a, const struct settings *s);
/* Paths below the data directory; in the arena. */
const char *settings_path(struct arena *a, const struct settings *s, const char *name);
/* "http://127.0.0.1:8788", or https. */
struct str settings_endpoint(struct arena *a, const struct settings *s);

struct control;
struct ec2_face;
struct metadata;

struct daemon {
	struct arena *arena; /* settings and whatever lives as long as the process */
	struct ctx ctx;
	struct settings settings;
	uint8_t master_key[MASTER_KEY_SIZE];
	uuid region_id;
	struct sql_driver *sql; /* the store's; for reading events */
	struct executor *executor;
	struct store *store;
	struct network_handle network;
	struct plugs *plugs;
	struct reconciler *reconciler;
	struct http_server *http;
	struct sigv4 *sigv4;
	struct limits *limits;
	struct ec2_face *ec2;
	struct metadata *metadata;
	struct control *control;
	int64_t started_us;
};

/* Starts every part and serves until SIGTERM or SIGINT; then ends them in reverse. The exit status. */
int daemon_serve(const char *config_path);

/* ---- control.c: the commands' way in, a unix socket; the caller must be root or our own uid ---- */

/* Listens and answers on threads of its own. */
RESULT control_open(struct ctx *c, struct daemon *d, struct control **ret_control);
void control_close(struct control *control); /* ends the calls under way */

/* ---- health.c: /healthz and /metrics ---- */

/* Handles the two paths on the API's listener; false: not one of them. */
bool health_handle(struct daemon *d, struct call *call);
