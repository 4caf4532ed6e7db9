/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/strongswan/: files of a daemon, its process and its namespace. A daemon's directory DIR/<uuid> contains
 *   strongswan.conf  settings of charon and of swanctl
 *   swanctl.conf     the connections, with their pre-shared keys; mode 0600
 *   link             the namespace's addresses and routes
 *   esp              "kernel" or "user": who encrypts
 *   pid              the daemon, where systemd does not run it
 *   vici             charon's socket for swanctl
 *   reload           the daemon may not have been told of swanctl.conf yet */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "drivers/vpn.h"

struct ovsdb;

/* A daemon, during a call. */
struct vpn_place {
	struct vpns *vpns;
	uuid id;
	const char *directory; /* in the context's arena */
	pid_t pid;             /* 0: the daemon does not run */
};

/* A file of the tunnel's directory, in c's arena. */
const char *vpns_path(struct ctx *c, const struct vpn_place *place, const char *name);
/* The local Open vSwitch, opened on demand. */
RESULT vpns_switch(struct vpns *v, struct ctx *c, struct ovsdb **ret_switch);
/* Half of the mark of rows. */
uuid vpns_region(const struct vpns *v);
/* A number for link names that no earlier link has. */
unsigned vpns_next(struct vpns *v);
/* strongswan_config's units; NULL: there is no systemd. */
const char *vpns_units(const struct vpns *v);

/* ---- config.c: pure but for the arena ---- */

enum { CONFIG_CAP_SIZE = 64 * 1024, XFRM_IF_ID = 7 };
/* Name of the interface that tunneled packets pass, in both modes. */
#define TUNNEL_LINK "ipsec0"
#define LEG_LINK "leg"
/* Writes strongswan.conf. in_kernel: the kernel encrypts, else charon itself. ERR_NO_MEMORY. */
RESULT config_write_daemon(struct ctx *c, const struct vpn_wish *wish, const char *directory, bool in_kernel,
			   struct str *ret_text);
/* Writes swanctl.conf. */
RESULT config_write_connections(struct ctx *c, const struct vpn_wish *wish, bool in_kernel,
				struct str *ret_text);
/* Writes the part of swanctl.conf about a tunnel. */
RESULT config_write_peer(struct ctx *c, const struct vpn_wish *wish, const struct vpn_peer *peer,
			 bool in_kernel, struct str *ret_text);
/* Begins the line before the part of a tunnel that shares its daemon, and that ends with the connection's name. */
#define TUNNEL_MARK "# tunnel "
/* Name of a tunnel's connection in swanctl.conf: "tunnel" for the only one of a daemon, else its id. */
void config_name_peer(uuid daemon, uuid tunnel, char out[static UUID_TEXT_SIZE]);

/* ---- namespace.c ---- */

/* Makes the namespace with its leg for a daemon that is to start, and tells whether its kernel encrypts. */
RESULT namespace_build(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish, int *ret_fd,
		       bool *ret_in_kernel);
/* Adds the routes that need the tunnel's interface, once the daemon runs. */
RESULT namespace_route(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish, int fd);
/* Addresses, routes and MTU as text, by which a change is noticed. */
struct str namespace_describe(struct ctx *c, const struct vpn_wish *wish);
/* Removes the leg's row in the local Open vSwitch. */
RESULT namespace_unplug(struct ctx *c, const struct vpn_place *place);

/* ---- daemon.c ---- */

/* Finds the running daemon; pid 0: there is none. */
void daemon_find(struct ctx *c, struct vpn_place *place);
/* Starts the daemon in the namespace. */
RESULT daemon_start(struct ctx *c, struct vpn_place *place, int netns_fd);
/* Has the daemon read swanctl.conf. ERR_AGAIN: it does not answer. */
RESULT daemon_load(struct ctx *c, const struct vpn_place *place);
/* Ends the security associations of a connection, so that changed options apply. */
void daemon_terminate(struct ctx *c, const struct vpn_place *place, const char *connection);
/* Has the daemon begin a connection, and does not wait for the peer. */
void daemon_initiate(struct ctx *c, const struct vpn_place *place, const char *connection);
/* Runs swanctl with that command. */
RESULT daemon_ask(struct ctx *c, const struct vpn_place *place, const char *const *command,
		  struct str *ret_answer);
/* Ends the daemon. */
void daemon_end(struct ctx *c, struct vpn_place *place);

/* ---- units.c: the same by systemd ---- */

/* True if systemd runs the daemons. */
bool units_are_used(const struct vpn_place *place);
/* Sets place->pid to the unit's process; 0: the unit does not run. */
void units_find_daemon(struct ctx *c, struct vpn_place *place);
/* Starts the unit of the daemon anew. */
RESULT units_start_daemon(struct ctx *c, const struct vpn_place *place);
/* Stops it. */
RESULT units_stop_daemon(struct ctx *c, const struct vpn_place *place);
/* Makes the unit's namespace anew, and opens it. */
RESULT units_build_namespace(struct ctx *c, const struct vpn_place *place, int *ret_fd);
/* Removes the namespace. */
RESULT units_drop_namespace(struct ctx *c, const struct vpn_place *place);
