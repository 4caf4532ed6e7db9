/* SPDX-License-Identifier: Apache-2.0
 * Hosts: the operator adds and removes them, and the reconciler reports what it sees of them. */
#pragma once

#include "engine/operation.h"
#include "model/host.h"

struct host_wish {
	struct str name;
	struct ref zone;            /* by name; kind none: the first zone */
	struct str uri;             /* empty: qemu+tls://NAME/system */
	struct str pool_path;       /* empty: /var/lib/libvirt/images */
	struct str address;         /* where other hosts reach it; empty: the host of the uri */
	int64_t overcommit_percent; /* 0: 400 */
	int64_t reserved_memory;    /* bytes; -1: 1 GiB */
	struct str cpu;             /* as in struct host_settings */
	/* made: */
	uuid host;
};
OPERATION(engine_add_host, host_wish)

struct host_settings {
	struct ref host;         /* by name or id */
	enum choice enabled;     /* whether new instances are placed on it */
	struct str reason;       /* why not, up to 255 characters; without `enabled` only this changes */
	enum choice forced_down; /* the host counts as down, whatever it answers */
	/* What guests that are started on it get of its processor: "host", all that it can do; "region", what all
	 * hosts of the region can do that are like it; or a model's name. Empty: as before. */
	struct str cpu;
	bool set_move_rate;
	int64_t move_rate; /* MiB a second at which each guest that leaves it, running, is sent; 0: as it goes */
};
/* ERR_INVALID with KIND_HOST: no such word, or a rate below 0 or above 1,000,000. ERR_STATE with KIND_HOST: it cannot be opened, because a maintenance is planned
 * (instance_event.h). */
OPERATION(engine_update_host, host_settings)

/* Whether new instances may be placed on the host: it is neither disabled, nor is a maintenance
 * planned. */
bool engine_is_host_open(const struct host *host);
/* Why it is closed, in the words of whoever closed it. */
struct str engine_host_reason(const struct host *host);

/* Where other hosts reach it: the address that its row says, else the host of its uri. Empty: neither says one. */
struct str engine_get_host_address(const struct host *host);

struct host_target {
	struct ref host; /* by name or id */
};
/* Removes a host at once; nothing of ours may be on it. ERR_IN_USE: it has instances or volumes, or
 * is dedicated to an account. */
OPERATION(engine_remove_host, host_target)

/* What a look at a host found. Absent host: OK, nothing happens. */
struct host_report {
	uuid host;
	enum host_seen_state state;
	bool has_facts; /* else only state */
	int64_t cpus, cores, sockets, memory, disk;
	bool is_full; /* its pool */
	enum host_seen_virt virt;
	struct str cpu, named_cpu, machine, machines; /* as in struct compute_facts */
	struct str version, boot_id;
	struct str physical_networks; /* words, with a space between */
	int64_t booted_us;
};
OPERATION(engine_see_host, host_report)
