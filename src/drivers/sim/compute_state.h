/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/sim: what the simulated hosts hold. compute.c is the driver,
 * compute_state.c keeps the hosts and the controls of compute.h. */
#pragma once

#include <pthread.h>

#include "drivers/sim/compute.h"

/* Work that takes time on a real host. */
enum sim_work {
	SIM_MAKE_DISK,
	SIM_DELETE_DISK,
	SIM_DEFINE,
	SIM_START,
	SIM_SHUT_DOWN, /* the guest's own: nobody waits for it in a call, as for the next */
	SIM_UNPLUG,
	SIM_WORK_COUNT
};

/* A disk or NIC of a domain: in its definition, in the running guest, or in both. */
struct sim_device {
	uuid id;
	int64_t leaves_us; /* the guest lets go of it then; 0: it was not asked, or missed it */
	bool is_nic, is_defined, is_plugged;
};

struct sim_domain {
	uuid region, id;
	bool is_on;
	enum compute_off off;
	int64_t boots, started_us;
	int64_t ends_us;            /* the guest is shutting down until then; 0: it is not */
	char digest[65];            /* of the definition */
	char name[32];              /* cut */
	char *memo;                 /* owned; NULL: none */
	struct sim_device *devices; /* owned */
	size_t device_count;
};

struct sim_disk {
	uuid region, volume;
	int64_t size;
};

struct sim_host {
	struct sim_host *next; /* in its bucket */
	char *name;
	pthread_mutex_t lock; /* guards all below */
	enum sim_health health;
	int64_t cpus, memory, disk_size;
	int64_t latency_us, hang_us, shutdown_us;
	bool is_deaf;
	uint64_t boot; /* counts them */
	struct sim_domain *domains;
	struct sim_disk *disks;
	char (*images)[65]; /* digests */
	size_t domain_count, disk_count, image_count;
	int64_t call_count;
	struct compute_host *connections;
};

/* A connection. */
struct compute_host {
	struct compute_host *next; /* of the same host */
	struct sim_host *host;
	uuid region;
	bool is_lost;
	void (*changed)(void *arg, uuid id);
	void *changed_arg;
};

/* The host of that name, made if need be; NULL when out of memory. */
struct sim_host *sim_need_host(struct str name);
struct sim_domain *sim_find_domain(struct sim_host *s, uuid id); /* with s->lock held, as all below */
struct sim_disk *sim_find_disk(struct sim_host *s, uuid volume);
struct sim_disk *sim_add_disk(struct sim_host *s); /* zeroed; NULL when out of memory */
/* How long it takes this time; 0 at SIM_AT_ONCE. */
int64_t sim_draw_us(enum sim_work work);
/* Lets it pass, before the effect. The lock stays held: the host does one thing at a time. */
void sim_take_time(enum sim_work work);
void sim_remove_domain(struct sim_host *s, struct sim_domain *d);
void sim_power_off(struct sim_host *s, struct sim_domain *d, enum compute_off why);
/* Guests whose time to shut down is over are off now. */
void sim_settle(struct sim_host *s);
void sim_tell(struct sim_host *s, uuid id); /* all who watch */
void sim_lose_connections(struct sim_host *s);

/* ---- compute_devices.c */

/* They are what the wish says from the next start on; what is plugged beyond stays until then. False:
 * out of memory. */
bool sim_define_devices(struct sim_domain *d, const struct compute_domain *w);
/* Of a running domain: plugs what is defined, asks for what is not to go. ERR_IO: a disk is missing. */
RESULT sim_plug_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d);
/* It starts with what is defined (ERR_IO likewise); it ends. */
RESULT sim_start_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d);
void sim_stop_devices(struct sim_domain *d);
/* True when a guest let go of something whose time had come. */
bool sim_settle_devices(struct sim_domain *d);
bool sim_has_plugged(const struct sim_domain *d, uuid id);
/* What a running guest has, else what is defined; in the context's arena. */
RESULT sim_list_devices(struct ctx *c, const struct sim_domain *d, struct uuids *ret_volumes,
			struct uuids *ret_ports);
