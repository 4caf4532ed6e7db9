/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/haproxy/: files of a proxy, its process and its namespace. A proxy's directory DIR/<uuid> contains
 *   haproxy.cfg   the configuration that the process runs with
 *   pid           the master process
 *   sock          HAProxy's runtime API
 *   links         the interfaces that the namespace has
 *   reload        the process may not have been told of haproxy.cfg yet
 *   servers       health of the servers, which survives a reload
 *   check         HAProxy's words about next.cfg, where a unit of systemd's checks it
 *   access        socket for reports of requests, while the load balancer has access logs
 *   body-*, cert-*  files that the configuration names
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "drivers/proxy.h"

struct ovsdb;

/* A proxy, during a call. */
struct proxy_place {
	struct proxies *proxies;
	uuid id;
	const char *directory; /* in the context's arena */
	pid_t pid;             /* 0: the process does not run */
};

/* A file of the proxy's directory, in c's arena. */
const char *place_path(struct ctx *c, const struct proxy_place *place, const char *name);

/* Name of the socket for access logs in the proxy's directory. */
#define ACCESS_SOCKET "access"

/* ---- config.c ---- */

enum { CONFIG_CAP = 16 * 1024 * 1024, CONFIG_GROUP_NAME_SIZE = 34 };

/* A file that the configuration names. */
struct config_file {
	struct str name, bytes;
};
struct config_files {
	struct config_file *at;
	size_t count;
};
/* Writes the configuration. ERR_NO_MEMORY; ERR_TOO_LARGE. */
RESULT config_write(struct ctx *c, const struct proxy_wish *wish, struct buf *out);
/* Header by which a request can be traced, and HAProxy's format of a new id, "Root=1-6b0cad00-0123456789abcdef01234567". */
#define TRACE_HEADER "X-Amzn-Trace-Id"
#define TRACE_ID "Root=1-%[date,hex,bytes(8),lower]-%[uuid,regsub(-,,g),bytes(0,24)]"
/* Parts: rules of a listener, and which backends they use (config_rules.c). */
void config_write_rules(struct ctx *c, const struct proxy_wish *wish, const struct proxy_listener *listener,
			struct buf *out);
void config_write_uses(const struct proxy_wish *wish, const struct proxy_listener *listener, struct buf *out);
/* Access logs (config_log.c): whether there are any, the line of `global`, the lines of a frontend, and those behind a listener's
 * conditions. */
bool config_logs(const struct proxy_wish *wish);
void config_write_log_target(const struct proxy_wish *wish, struct buf *out);
void config_write_log(const struct proxy_wish *wish, const struct listener *l, struct buf *out);
void config_write_network_log(const struct proxy_wish *wish, const struct listener *l, struct buf *out);
void config_write_log_rules(const struct proxy_listener *l, struct buf *out);
/* Frontends and backends of a Classic Load Balancer (config_classic.c). */
void config_write_classic(struct ctx *c, const struct proxy_wish *wish, struct buf *out);
/* Frontends and backends of a network load balancer (config_network.c). */
void config_write_network(struct ctx *c, const struct proxy_wish *wish, struct buf *out);
/* Frontends and backends of a load balancer of Octavia (config_octavia.c). */
void config_write_octavia(struct ctx *c, const struct proxy_wish *wish, struct buf *out);
/* A bind line up to its options: the port at all addresses of the load balancer's families. */
void config_write_bind(const struct proxy_wish *wish, int64_t port, struct buf *out);
/* Words of a bind line: certificates and the security policy. alpn NULL: none is offered. */
void config_write_tls(struct ctx *c, const struct proxy_wish *wish, const struct listener *l,
		      const char *alpn, struct buf *out);
/* A group's health check. */
void config_write_check(const struct target_group *g, struct buf *out);
/* Two digits a byte, and an ending 0. */
void config_write_hex(const uint8_t *bytes, size_t count, char *out);
/* The L7 policies of a listener of Octavia, and the name of its backend for a pool (config_l7.c). */
void config_write_policies(const struct proxy_listener *l, struct buf *out);
void config_write_backend_name(const struct listener *l, uuid pool, struct buf *out);
/* Text between single quotes; with is_format also literal in HAProxy's log format. */
void config_quote(struct buf *out, struct str text, bool is_format);
/* "g0123456789abcdef" of a target group. */
const char *config_group_name(uuid group, char out[static CONFIG_GROUP_NAME_SIZE]);
/* The file of a fixed response's body. */
struct str config_body_name(struct arena *a, struct str body);

/* The files: bodies of fixed responses, certificates with their keys. A name contains a digest of the content, so that a
 * process which runs with the former configuration is not disturbed. */
RESULT config_gather_files(struct ctx *c, const struct proxy_wish *wish, struct config_files *ret_files);

/* ---- files.c ---- */

/* Writes those that are missing. */
RESULT files_write(struct ctx *c, const struct proxy_place *place, const struct config_files *files);
/* Removes files of former configurations. */
void files_sweep(struct ctx *c, const struct proxy_place *place, const struct config_files *files);

/* ---- namespace.c ---- */

/* Makes the namespace with its links for a process that is to start. */
RESULT namespace_make(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish,
		      int *ret_fd);
/* Brings the namespace of a running process to the wish's links. */
RESULT namespace_change(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish);
/* Unplugs all links that the file says. */
RESULT namespace_remove(struct ctx *c, const struct proxy_place *place);
/* The local Open vSwitch, opened on demand. */
RESULT proxies_switch(struct proxies *p, struct ctx *c, struct ovsdb **ret_switch);
uuid proxies_region(const struct proxies *p);
/* A number for link names that no earlier link has. */
unsigned proxies_next(struct proxies *p);
/* haproxy_config's units; NULL: processes are children. */
const char *proxies_units(const struct proxies *p);

/* ---- process.c ---- */

/* Finds the running process by its file; pid 0: there is none. */
void process_find(struct ctx *c, struct proxy_place *place);
/* ERR_INVALID, with HAProxy's words: it would refuse next.cfg. */
RESULT process_check(struct ctx *c, const struct proxy_place *place);
RESULT process_start(struct ctx *c, struct proxy_place *place, int netns_fd);
/* Returns once the new worker answers. ERR_AGAIN: it does not within 20 s. */
RESULT process_reload(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish);
/* Ends the process and its workers. */
void process_end(struct ctx *c, struct proxy_place *place);

/* ---- units.c: the same by systemd ---- */

/* True if systemd runs the processes. */
bool units_run(const struct proxy_place *place);
/* Sets place->pid to the master process of the unit; 0: the unit does not run. */
void units_find(struct ctx *c, struct proxy_place *place);
RESULT units_check(struct ctx *c, const struct proxy_place *place);
RESULT units_start(struct ctx *c, const struct proxy_place *place);
RESULT units_stop(struct ctx *c, const struct proxy_place *place);
/* Makes the unit's namespace anew, and opens it. */
RESULT units_make_namespace(struct ctx *c, const struct proxy_place *place, int *ret_fd);
/* Opens it; -1: there is none. */
int units_open_namespace(struct ctx *c, const struct proxy_place *place);
RESULT units_remove_namespace(struct ctx *c, const struct proxy_place *place);

/* ---- state.c ---- */

/* Sends a command to the runtime API. ERR_GONE: nothing answers. */
RESULT state_ask(struct ctx *c, const struct proxy_place *place, const char *command, struct str *ret_answer);
/* Adds to the answer of "show servers state" the wish's new servers, as ones that are down. */
RESULT state_add_new(struct ctx *c, const struct proxy_wish *wish, struct str states, struct str *ret_states);
/* Reads the answer of "show stat". */
RESULT state_read(struct ctx *c, struct str csv, struct proxy_server_state **ret_states, size_t *ret_count);
/* Reads the answer of "show info". */
RESULT state_read_log(struct ctx *c, struct str answer, struct proxy_log_state *ret_state);
/* Reads the answer of "show info;show stat -1 1 -1": the worker, and its frontends of Octavia. */
RESULT state_read_listeners(struct ctx *c, struct str answer, struct proxy_listener_state **ret_states,
			    size_t *ret_count);
