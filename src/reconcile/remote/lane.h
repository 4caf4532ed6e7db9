/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/remote/: a thread for each provider, so that a cloud that hangs delays nobody else, and
 * what this process knows about the provider: the open connection, the listing under way, and the pace of
 * requests. After a restart a listing begins anew. */
#pragma once

#include "drivers/remote.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_resource.h"
#include "reconcile/work.h"

/* PROVIDER_FORGOTTEN_MAX: rows that a step forgets after an accepted loss, so that one change does not hold up the others. */
enum {
	PROVIDER_CURSOR_MAX = 4096,
	PROVIDER_LACKS_SIZE = 1024,
	PROVIDER_ID_MAX = 511,
	PROVIDER_REF_MAX = 255, /* maximum in schema/remote_machine.toml */
	PROVIDER_FORGOTTEN_MAX = 500
};

/* Row ids that a listing has seen: open addressing, none is free. */
struct id_set {
	uuid *at; /* owned */
	size_t count, capacity;
};

/* A token bucket. The rate halves when the cloud throttles, and recovers by a tenth a minute. */
struct pace {
	double rate, tokens; /* requests a second */
	int64_t at_us, slowed_us;
};

/* A type of resources, as this process lists it. */
struct type_pace {
	int64_t due_us;    /* time of the next listing */
	bool accepts_loss; /* the next listing may lack any share */
};

/* The change feed: its place, and machines that are to be read again. Machines beyond FEED_MACHINES_MAX are listed instead. */
enum { FEED_CURSOR_MAX = 255, FEED_MACHINES_MAX = 100, FEED_EVENTS_MAX = 512 };
struct feed {
	int64_t due_us;            /* time of the next request */
	unsigned rounds, failures; /* requests in a row that had more; failures in a row */
	char cursor[FEED_CURSOR_MAX + 1];
	char machines[FEED_MACHINES_MAX][PROVIDER_REF_MAX + 1]; /* ids there; the last one is read first */
	size_t machine_count;
	uint64_t events[FEED_EVENTS_MAX]; /* digests of the latest events, in a ring: feeds repeat events */
	size_t event_place;
};

struct provider_lane {
	struct provider_lane *next; /* in its bucket */
	uuid id;
	struct lane lane;
	/* The rest belongs to the lane's steps. */
	struct remote_connection *connection;
	struct pace pace;
	uint64_t gen;       /* gen of the row; a new one resets what follows */
	int64_t next_us;    /* no request before, unless the row's gen changes */
	unsigned failures;  /* in a row */
	size_t verify_step; /* next step of the verification under way */
	bool is_verifying;
	char identity[256];
	char lacks[PROVIDER_LACKS_SIZE]; /* a line for each missing right */
	bool is_listing;                 /* machines, or resources of `type` */
	bool is_read;                    /* the listing under way has read its last page */
	bool is_of_resources;
	bool is_first; /* the type had no rows when its listing began */
	enum remote_resource_type type;
	int64_t machines_due_us; /* time of the next listing of machines */
	struct type_pace types[REMOTE_RESOURCE_TYPES];
	int64_t began_us;     /* start of the listing */
	int64_t ended_us;     /* end of a complete listing whose changes are being committed; 0: none */
	bool ended_resources; /* that listing was one of resources of `type` */
	bool ended_large;     /* its pages took memory that the heap may have kept */
	char cursor[PROVIDER_CURSOR_MAX + 1];
	char stack[PROVIDER_REF_MAX +
		   1];  /* ref of the stack whose resources were asked for last; empty: none yet */
	size_t pages;   /* number of pages that the listing under way has read */
	size_t others;  /* number of entries in them that are no machines of the listing */
	size_t unnamed; /* number of machines in them that have no name here */
	char unnamed_id[PROVIDER_ID_MAX + 1]; /* the first of their ids; empty: none */
	struct id_set seen;
	/* Metrics: the hour that is being read, the id of the machine that was read last, and the time of the next hour. */
	struct cloud_figures *figures; /* owned; NULL: none is being read */
	int64_t metrics_hour_us, metrics_due_us;
	char metrics_after[PROVIDER_REF_MAX + 1];
	struct feed *feed;         /* owned; NULL: not read yet */
	bool fed;                  /* the last request was of the feed: a listing under way goes on first */
	int64_t machines_began_us; /* start of the last listing of machines */
};

/* Finds or creates the provider's lane; NULL: out of memory. Any thread. */
struct provider_lane *provider_lane_of(struct reconciler *r, uuid provider);
/* Keeps the lane of a forgotten provider, with its thread, for the next provider: otherwise an account that adds and
 * removes providers would add threads without end. Only a step of that lane may call it. */
void provider_lane_retire(struct reconciler *r, uuid provider);
/* Ends all lanes, and waits for their steps. */
void provider_lane_free_all(struct reconciler *r);

/* Takes a turn for one request. *ret_due_us: when there is one, if not now. */
bool pace_take(struct pace *p, int64_t now_us, int64_t *ret_due_us);
void pace_slow_down(struct pace *p, int64_t now_us);

bool id_set_add(struct id_set *set, uuid id); /* false: out of memory */
bool id_set_has(const struct id_set *set, uuid id);
void id_set_clear(struct id_set *set);

/* Begins a listing of machines; lane->is_of_resources and ->type are for the caller to set. */
void lane_begin_listing(struct provider_lane *lane);
/* Keeps the cursor of the next page. ERR_IO: it is not usable. */
RESULT lane_keep_cursor(struct step *s, struct provider_lane *lane, struct str cursor);
/* Ends a listing that is complete. */
void lane_end_listing(struct provider_lane *lane);

/* ---- resources.c ---- */

/* All types are listed soon. */
void resources_reset(struct provider_lane *lane, bool accepts_loss);
/* True if the provider of the step has rows of the type. */
bool resources_have_rows(struct step *s, enum remote_resource_type type);
/* Time of the next listing of any type. *ret_type: which. */
int64_t resources_due_us(const struct provider_lane *lane, unsigned types,
			 enum remote_resource_type *ret_type);
/* Reads a page of a listing of lane->type. */
RESULT resources_list_page(struct step *s, struct provider_lane *lane, const struct provider *p,
			   struct remote *remote);
/* Takes a failure that concerns the listed type alone: reports it, and lists the others. False: it concerns the provider. */
bool resources_take_failure(struct step *s, struct provider_lane *lane, const struct provider *p,
			    struct result result);

/* ---- metrics.c ---- */

/* Time of the next request for metrics; INT64_MAX: none are read. */
int64_t metrics_due_us(const struct provider_lane *lane, const struct provider *p);
/* Reads the metrics of a few machines. */
RESULT metrics_read_batch(struct step *s, struct provider_lane *lane, const struct provider *p,
			  struct remote *remote);
/* Reports a failure. False: it concerns the provider. */
bool metrics_take_failure(struct step *s, struct provider_lane *lane, struct result result);
/* The hour before is read soon. */
void metrics_reset(struct provider_lane *lane);

/* ---- changes.c ---- */

/* Time of the next request of the change feed, or about a machine that it named; INT64_MAX: none. */
int64_t changes_due_us(const struct provider_lane *lane, const struct provider *p);
/* Sends one such request. */
RESULT changes_read(struct step *s, struct provider_lane *lane, const struct provider *p,
		    struct remote *remote);
/* Reports a failure, after which listings alone show changes. False: it concerns the provider. */
bool changes_take_failure(struct step *s, struct provider_lane *lane, struct result result);
/* The feed is read soon, from its present place. */
void changes_reset(struct provider_lane *lane);
/* The type is listed soon, but not twice in a minute. */
void resources_hurry(struct provider_lane *lane, const struct provider *p, enum remote_resource_type type);
/* Reports machines that differ from their rows. provider.c has it for pages of listings. */
RESULT provider_take_machines(struct step *s, struct provider_lane *lane, const struct provider *p,
			      const struct remote_page *page);

/* ---- leave.c ---- */

/* Signs out of the provider's cloud, if a session is open there. Only a step of the lane may call it. */
void remote_leave(struct reconciler *r, struct provider_lane *lane);
/* The same for all providers. All steps have ended. */
void remote_leave_all(struct reconciler *r);

/* Opens the provider's secret into the arena; remote_close() wipes it. */
RESULT remote_open(struct step *s, const struct provider *p, struct provider_lane *lane,
		   struct remote *ret_remote);
void remote_close(struct remote *r);
/* Time of the next try after a failure: exponential backoff from 1 s to 5 min, ±50 %, and not before wait_us. */
int64_t remote_next_try_us(unsigned failures, int64_t wait_us);
/* True if a retry may succeed without anybody's help. */
bool remote_may_help_later(enum err err);
