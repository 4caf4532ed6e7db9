/* SPDX-License-Identifier: Apache-2.0
 * What a Satellite or a Candlepin is told by HTTP: which guests are on which hosts, and that whoever tells it is there. Sources:
 * Candlepin's API specification (hypervisors, jobs); virt-who. Calls block, half a minute at most: only for threads that may wait. The
 * operator named the server, so it may be anywhere. */
#pragma once

#include "base/ctx.h"

struct candlepin {
	struct str url;          /* without the path of its calls */
	bool is_satellite;       /* whose calls are below /rhsm */
	struct str organisation; /* by its key */
	struct str user;         /* empty: the certificate says who asks */
	struct str secret;       /* the password, or the certificate's key in PEM */
	struct str certificate;  /* in PEM; empty: none */
	struct str authority;    /* in PEM; empty: whom this machine trusts */
	struct str reporter;
};

/* What became of it. */
enum candlepin_state {
	CANDLEPIN_TAKEN,   /* it has it */
	CANDLEPIN_WAITS,   /* its job goes on */
	CANDLEPIN_REFUSED, /* the job failed, or was cancelled */
	CANDLEPIN_LATER    /* too many calls: not before retry_s have passed */
};
struct candlepin_answer {
	enum candlepin_state state;
	struct str job, words; /* of one that waits; of one that failed */
	int64_t retry_s;
};

/* ERR_IO, in words: it is not reached, or refuses. */
RESULT candlepin_tell(struct ctx *c, const struct candlepin *server, struct str mapping,
		      struct candlepin_answer *ret_answer);
RESULT candlepin_ask_job(struct ctx *c, const struct candlepin *server, struct str job,
			 struct candlepin_answer *ret_answer);
RESULT candlepin_beat(struct ctx *c, const struct candlepin *server, struct candlepin_answer *ret_answer);

/* What an answer means; pure. retry_after: that header's text, empty where there is none. */
RESULT candlepin_read_answer(struct ctx *c, const struct candlepin *server, long status, struct str body,
			     struct str retry_after, struct candlepin_answer *ret_answer);
