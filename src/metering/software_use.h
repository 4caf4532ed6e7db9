/* SPDX-License-Identifier: Apache-2.0
 * Software used by guests in a month, from the usage log's records "software:PRODUCT:SOURCE:HOST"
 * (model/licence.h): hours and peaks by account, product, source and band; hourly peaks; and the hosts that
 * had guests of a product, even briefly. Pure: equal records give equal results. */
#pragma once

#include "base/vec.h"
#include "metering/month.h"
#include "model/licence.h"
#include "model/row.h"

enum { SOFTWARE_HOURS = 31 * 24 };

/* Simultaneous use: number of guests, and their vCPUs. */
struct software_level {
	int64_t guests, vcpus;
};

/* Use of one account, product and source. */
struct software_line {
	uuid account;
	struct str product;
	enum licence_source source;
	struct software_band {
		int64_t seconds, vcpu_seconds; /* total of all guests */
		int64_t begun_hours;           /* each guest's runs rounded up individually */
		int64_t guests;                /* distinct ones */
		struct software_level now, peak;
	} bands[2];                                  /* small, large (licence_band()) */
	struct software_level now, peak;             /* of both bands */
	int64_t since_s;                             /* private: since when `now` holds */
	struct software_level hours[SOFTWARE_HOURS]; /* peak of each hour of the month */
};

/* A host that had guests of a product, of any account. */
struct software_host {
	uuid host;
	struct str product;
	enum licence_source source;
	int64_t now, peak; /* guests */
};

struct software_use {
	struct arena *arena;
	struct month month;
	int64_t until_s; /* the end of the month, or now */
	VEC(struct software_line *) lines;
	VEC(struct software_host) hosts;
	/* private: running guests, by a hash of (id, product, source) */
	struct software_run *runs;
	size_t run_count, run_room;
	int64_t at_s; /* time of the last record */
};

/* now_s: end of usage still in progress. Data are in the arena. */
RESULT software_use_begin(struct ctx *c, struct month month, int64_t now_s, struct software_use *ret_use);
/* Takes records in log order, of any time; other meters are ignored. */
RESULT software_use_take(struct software_use *u, struct ctx *c, uuid account, uuid id, struct str meter,
			 int64_t at_us, int64_t level);
/* Ends all usage still in progress. */
void software_use_end(struct software_use *u);

/* Counts a host's cores by Microsoft's rules: at least eight per processor, and sixteen per host. 0:
 * unknown. */
int64_t software_count_cores(int64_t cores, int64_t sockets);
