/* SPDX-License-Identifier: Apache-2.0
 * The VPN driver's contract: IKE daemons that implement tunnels of VPN connections. drivers/strongswan runs strongSwan's charon on this
 * machine, each in a network namespace of its own: one for a tunnel, or one for the tunnels of a VPN service (Neutron). drivers/sim
 * keeps daemons in memory.
 *
 * Rules for every call:
 *
 * 1. Threads. Calls about one daemon come one after another; calls about different daemons may be concurrent.
 * 2. Time. A call blocks for as long as a daemon takes to start, at most some seconds.
 * 3. Apply. apply() gets the complete wish, compares it with what runs, and changes what differs. It keeps no memory of earlier
 *    calls: a daemon outlives dari, and is found by its files.
 * 4. Repetition. Every call may be repeated, also after a failure and after a crash of dari.
 * 5. Absence. remove() of a daemon that doesn't exist is OK. see() of a tunnel that doesn't reports that it is down.
 * 6. Secrets. The key is in no message, no log and no argument of a process; its file has mode 0600 and goes with the tunnel.
 * 7. Memory. All pointers are borrowed until the call returns. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"
#include "model/vpn_link.h"

struct vpn_tunnel;

/* A driver's state; each driver defines its own. */
struct vpns;

/* A tunnel of a daemon. */
struct vpn_peer {
	const struct vpn_tunnel *tunnel;
	struct str key;            /* pre-shared key */
	struct ip address;         /* the customer's device */
	struct str own_id;         /* identity of this side; empty: the public address */
	struct str their_id;       /* identity that the peer has to prove; empty: any */
	const struct cidr *own;    /* traffic selectors: the VPC's addresses */
	size_t own_count;          /* 0: all */
	const struct cidr *theirs; /* traffic selectors: the other site's addresses */
	size_t theirs_count;       /* 0: all */
	int64_t mtu;               /* of packets to the other site; 0: the tunnel's */
};

/* A complete daemon: tunnels from one public address. */
struct vpn_wish {
	uuid id; /* daemon's id: the tunnel's, or the VPN service's */
	const struct vpn_peer *peers;
	size_t peer_count; /* at least one */
	struct vpn_link link;
	const struct cidr
		*blocks; /* IPv4 blocks of the VPC: the only destinations of what comes out of a tunnel */
	size_t block_count;
};

/* Starts the daemon, or brings it to the wish. A change of options ends the security associations. ERR_AGAIN: the network isn't
 * ready, or the daemon does not answer yet. */
typedef RESULT vpns_apply(struct vpns *v, struct ctx *c, const struct vpn_wish *wish);

/* Ends the daemon, and removes its files and its namespace. */
typedef RESULT vpns_remove(struct vpns *v, struct ctx *c, uuid daemon);

/* Tells whether a security association for traffic of the tunnel is installed. */
typedef RESULT vpns_see(struct vpns *v, struct ctx *c, uuid daemon, uuid tunnel, bool *ret_is_up);

/* Frees the driver. Daemons go on. */
typedef void vpns_close(struct vpns *v);

struct vpn_driver {
	vpns_apply *apply;
	vpns_remove *remove;
	vpns_see *see;
	vpns_close *close;
};

/* A driver: its functions, and their first argument. driver NULL: this region runs no tunnels. */
struct vpn_handle {
	const struct vpn_driver *driver;
	struct vpns *self;
};

struct strongswan_config {
	struct str directory; /* files of tunnels; made with mode 0700 */
	struct str ovsdb;     /* the local Open vSwitch: "unix:/run/openvswitch/db.sock" */
	uuid region;          /* half of the mark */
	struct str
		units; /* directory of links for the units dari-tunnel@ID.service, in which systemd runs the daemons; empty: they
			   * are started without systemd */
};
/* Opens the driver of strongSwan. Connects on demand. */
RESULT strongswan_open(struct ctx *c, const struct strongswan_config *config, struct vpn_handle *ret_vpns);

/* Opens the simulation. */
RESULT vpn_sim_open(struct ctx *c, struct vpn_handle *ret_vpns);
