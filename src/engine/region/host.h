/* SPDX-License-Identifier: Apache-2.0
 * Hosts: the operator adds and removes them, and the reconciler reports their state. */
#pragma once

#include "engine/operation.h"
#include "model/host_words.h"

struct host;

struct host_wish {
	struct str name;
	struct ref zone;            /* by name; kind none: the first zone */
	struct str uri;             /* empty: qemu+tls://NAME/system */
	struct str pool_path;       /* empty: /var/lib/libvirt/images */
	struct str address;         /* at which other hosts reach it; empty: the uri's host */
	int64_t overcommit_percent; /* 0: 400 */
	int64_t reserved_memory;    /* bytes; -1: 1 GiB */
	struct str cpu;             /* as in struct host_settings */
	/* result: */
	uuid host;
};
OPERATION(engine_add_host, host_wish)

struct host_settings {
	struct ref host;         /* by name or id */
	enum choice enabled;     /* open for new instances */
	struct str reason;       /* why it is disabled, up to 255 characters; stored only with `enabled` */
	enum choice forced_down; /* treats the host as down even if it answers */
	/* The CPU of guests started on the host: "host": all its features; "region": the features common to
	 * all similar hosts of the region; or a model's name. Empty: no change. */
	struct str cpu;
	const struct str *agent_description; /* NULL: unchanged; up to 255 characters */
	bool set_move_rate;
	int64_t move_rate; /* MiB per second for each live migration from the host; 0: unlimited */
};
/* ERR_INVALID with KIND_HOST: invalid CPU, or a rate out of the range 0 to 1,000,000. ERR_STATE with
 * KIND_HOST: it cannot be enabled during a planned maintenance (instance_event.h). */
OPERATION(engine_update_host, host_settings)

/* True if new instances may be placed on the host: it is enabled, and no maintenance is planned. */
bool engine_is_host_open(const struct host *host);
/* The reason why it is closed, as entered. */
struct str engine_host_reason(const struct host *host);

/* The address at which other hosts reach it: the row's, or else the uri's host. Empty: unknown. */
struct str engine_get_host_address(const struct host *host);

struct host_target {
	struct ref host; /* by name or id */
};
/* Removes an empty host. ERR_IN_USE: it has instances or volumes, or is dedicated to an account. */
OPERATION(engine_remove_host, host_target)

/* The reconciler's observation of a host. OK without a change for an absent host. */
struct host_report {
	uuid host;
	enum host_seen_state state;
	bool has_facts; /* otherwise only `state` is valid */
	int64_t cpus, cores, sockets, memory, disk;
	bool is_full; /* the host's directory for disks */
	enum host_seen_virt virt;
	struct str cpu, named_cpu, machine, machines; /* as in struct compute_facts */
	struct str version, boot_id;
	struct str physical_networks; /* names separated by spaces */
	int64_t booted_us;
};
SYSTEM_OPERATION(engine_see_host, host_report)
