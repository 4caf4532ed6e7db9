/* SPDX-License-Identifier: Apache-2.0
 * Several `dari` on one database: lease, epoch, commits whose outcome is unknown, takeover, calls to hosts, and evacuation.
 * Rules: src/store/lease.h, src/store/postgresql_lease.c, dari_fence() in src/store/postgresql_schema.c, and
 * ctx_check_may_act() in src/base/ctx.h. tests/simulation/all-45-writers.py checks it with Debian's spin.
 *
 * Time. A tick is half a second. All durations count down at each tick, so the model needs no clock: lease_left is the database's view
 * of the lease, left[p] the holder's. A process may stand still (SIGSTOP, a paused virtual machine) for any number of ticks, while time,
 * the database and hosts go on. Clocks run at one rate.
 *
 * Network. What was sent may arrive late, or never. A commit whose connection broke may still be carried out by the database.
 *
 * Changes. Two clients repeat their change, with its client token, until it is answered. Change PLACE moves the guest to host 1.
 *
 * Each guard of the product can be left out by -DNO_<guard>; the model then must fail. -DLATE_CALLS: hosts may carry out a call at any
 * later time, so calls of two writers may be under way at once; without it they do so within CALL_MAX ticks, or never. Late calls need
 * locks of disks that a host keeps while it is cut off, as Ceph's are. A lock of NFS ends then: with it, the model finds a guest that runs
 * twice, after a former writer's late start on a host that is cut off at once, in the moment in which the new writer starts it elsewhere.
 *
 * -DFEWER leaves steps out that need not happen: a late renewal, an orderly end, a fence that explains itself. What goes wrong without them
 * is found sooner, and can go wrong with them.
 *
 * -DFORK: once, a standby takes over that lacks up to LOST_MAX of the last commits, renewals and take-overs. The clients of lost changes were
 * told that they are made; nothing else may be lost. A former writer may hold its lease for TTL more, and the fence tells it nothing then
 * but with its next renewal, so reads count only after that time. The writer before a lost take-over may go on. No two processes call hosts
 * at the same time, if calls end within CALL_MAX ticks, which are fewer then.
 *
 * -DREPLAY: instead of searching, the model takes the steps of one history of tests/simulation/writers, which the file HISTORY lists. A step
 * that is not possible here ends it. Ticks are microseconds then, all processes of a history have a number of their own, and there are
 * more changes, of which every second one moves the guest.
 */
#ifndef EPOCHS
#define EPOCHS 3 /* takeovers, which bounds the model */
#endif
#ifdef REPLAY
#define TTL 2000000
#define MARGIN 500000
#define WAIT 2500000
#elif defined(LATE_CALLS) /* durations do not matter then */
#define TTL 1
#define MARGIN 0
#define WAIT 0
#else
#define TTL 4    /* LEASE_TTL_MS */
#define MARGIN 1 /* LEASE_MARGIN_MS */
#define WAIT 5   /* LEASE_TTL_MS + LEASE_MARGIN_MS after the former lease's end */
#endif
#ifdef LATE_CALLS
#define CALL_MAX 1 /* they do not age */
#elif defined(FORK)
#define CALL_MAX (WAIT + MARGIN - TTL)
#else
#define CALL_MAX (MARGIN + WAIT)
#endif

#define PLACE 2 /* the second change */

#define FOLLOWER 0
#define TAKING 1
#define WRITER 2

#define NONE 0
#define SENT 1
#define DONE 2    /* the answer is on its way */
#define REFUSED 3 /* likewise */
#define UNKNOWN 4 /* of a commit: its connection broke */
#define KNOWN_NOT 5 /* the database did not carry it out */
#define ASKED 1   /* of a call: may_act was asked; not sent yet */
#define CALLED 2

#define START 0
#define STOP 1
#define OFF 2 /* the host's power */

#ifdef FEWER
#define IS_LOST_EARLY(n) (p[n].commit != SENT)
#else
#define IS_LOST_EARLY(n) true
#endif
#ifdef REPLAY
#define TIME int
#define SET int
#define PROCESSES 96
#define FORK
#define FORKS 255
/* A step has to be the history's next one, of this process, and with that argument. */
#define STEP(step) want == step && who == n &&
#define HOST_STEP(step, host) want == step && who == host &&
#define ARG(x) arg == (x) &&
#define DID want = 0;
#define MUST(x) assert(x)
#define PLACE_OF(n) p[n].place
#define HOLDER_HAS_ENDED(n) (p[db_holder].role == FOLLOWER)
#else
#define TIME byte
#define SET byte
#define PROCESSES 2
#define STEP(step)
#define HOST_STEP(step, host)
#define ARG(x)
#define DID
#define MUST(x)
#define PLACE_OF(n) (p[n].has & PLACE -> 1 : 0)
#define HOLDER_HAS_ENDED(n) (db_holder == n) /* it is this process, as it was before it started again */
#endif

/* ---- the database */
byte db_epoch = 0, db_batch = 0, db_holder = 255;
SET db_has = 0;
TIME lease_left = 0;
bool is_given_back = true;
/* ---- clients: who got an answer */
SET answered = 0;
#ifdef FORK
#ifndef FORKS
#define FORKS 1
#endif
#define LOST_MAX 3
byte last_epoch = 0; /* that was given, also on lines that are lost */
SET lost = 0; /* changes that a fail-over has lost */
byte forks = 0;
TIME fork_left = 0; /* for which a former writer may hold its lease */
typedef state {
	byte epoch, batch, holder;
	SET has;
	TIME left;
	bool was_given_back
}
state past[LOST_MAX]; /* before the last commits, the latest first */
byte past_count = 0;
#define TOLD(what) ((what) & (db_has | ~lost))
#define IS_SOUND (fork_left == 0)
#define WAIT_AFTER_LEAVE WAIT
#define LAST_EPOCH last_epoch
#else
#define TOLD(what) (what)
#define IS_SOUND true
#define WAIT_AFTER_LEAVE 0
#define LAST_EPOCH db_epoch
#endif
#ifdef NO_HANDED
#undef WAIT_AFTER_LEAVE
#define WAIT_AFTER_LEAVE 0
#endif
#ifdef REPLAY
int at = 0;
byte want = 0, who = 0;
int arg = 0;
byte one = 0; /* for loops */
int rest = 0;
#endif
/* ---- hosts */
bool runs[2], is_cut[2], is_off[2];
byte acted_epoch = 0; /* of the latest call that a host carried out */

typedef process {
	byte role;
	bool stands_still;
	byte epoch, batch; /* memory */
	SET has;
	TIME left, acts_in;
	bool is_lost;
	byte renewal;
	TIME renewal_age;
	byte late_epoch;  /* a renewal whose answer was not awaited may still arrive; 0: none */
	byte leave_epoch; /* likewise of a lease that is given back */
	byte commit, commit_base;
	SET commit_what;
	bool is_ghost; /* the database may still carry out a commit whose connection broke */
	byte ghost_base, ghost_epoch;
	SET ghost_what;
	byte call, call_kind, call_host, call_epoch;
	TIME call_age;
#ifdef REPLAY
	byte place;
#endif
}
process p[PROCESSES];

/* Where the guest belongs, after p[n].has has changed. */
inline find_place(n)
{
#ifdef REPLAY
	rest = p[n].has & 11184810; p[n].place = 0; /* every second bit */
	do
	:: rest != 0 -> rest = rest & (rest - 1); p[n].place = 1 - p[n].place
	:: else -> break
	od
#else
	skip
#endif
}

#define IS_HELD(n) (!p[n].is_lost && p[n].left > 0)
#ifdef NO_MARGIN
#define IS_IN_TIME(n) (p[n].left > 0)
#else
#define IS_IN_TIME(n) (p[n].left > MARGIN)
#endif
#ifdef NO_WAIT
#define HAS_WAITED(n) true
#else
#define HAS_WAITED(n) (p[n].acts_in == 0)
#endif
#define MAY_ACT(n) (p[n].role == WRITER && !p[n].is_lost && IS_IN_TIME(n) && HAS_WAITED(n))
#ifdef LATE_CALLS
#define IS_LOCKED_BY(h) runs[h]
#else
#define IS_LOCKED_BY(h) (runs[h] && !is_cut[h])
#endif
#ifdef REPLAY
#define LESS(x) x = (x > arg -> x - arg : 0)
#define LESS_LEASE lease_left = lease_left - arg
#define LESS_PAST(k) past[k].left = (past[k].was_given_back -> past[k].left : past[k].left - arg)
#define LEASE_LEFT (lease_left > 0 -> lease_left : 0)
#else
#define LESS(x) x = (x > 0 -> x - 1 : 0)
#define LESS_LEASE LESS(lease_left)
#define LESS_PAST(k) LESS(past[k].left)
#define LEASE_LEFT lease_left
#endif

/* Notes the database's state before a commit. */
inline keep_state()
{
#ifdef FORK
	past[2].epoch = past[1].epoch; past[2].batch = past[1].batch; past[2].holder = past[1].holder; past[2].has = past[1].has;
	past[2].left = past[1].left; past[2].was_given_back = past[1].was_given_back;
	past[1].epoch = past[0].epoch; past[1].batch = past[0].batch; past[1].holder = past[0].holder; past[1].has = past[0].has;
	past[1].left = past[0].left; past[1].was_given_back = past[0].was_given_back;
	past[0].epoch = db_epoch; past[0].batch = db_batch; past[0].holder = db_holder; past[0].has = db_has;
	past[0].left = lease_left; past[0].was_given_back = is_given_back;
	past_count = (past_count < LOST_MAX -> past_count + 1 : LOST_MAX)
#else
	skip
#endif
}

#ifdef FORK
/* A standby takes over that lacks the last `count` commits. */
inline fork_database(count)
{
	lost = lost | (db_has & ~past[count - 1].has);
	db_epoch = past[count - 1].epoch; db_batch = past[count - 1].batch; db_holder = past[count - 1].holder; db_has = past[count - 1].has;
	lease_left = past[count - 1].left; is_given_back = past[count - 1].was_given_back;
	answered = answered & db_has;
	past_count = 0; past[0].epoch = 0; past[0].batch = 0; past[0].holder = 0; past[0].has = 0; past[0].left = 0; past[0].was_given_back = false;
	past[1].epoch = 0; past[1].batch = 0; past[1].holder = 0; past[1].has = 0; past[1].left = 0; past[1].was_given_back = false;
	past[2].epoch = 0; past[2].batch = 0; past[2].holder = 0; past[2].has = 0; past[2].left = 0; past[2].was_given_back = false;
	forks = (forks < FORKS -> forks + 1 : FORKS);
	fork_left = TTL
}
#endif

/* Ends a process; its supervisor starts it again as a follower. What it sent goes on without it. */
inline end(n)
{
	p[n].role = FOLLOWER;
	p[n].stands_still = false;
	p[n].left = 0; p[n].acts_in = 0; p[n].is_lost = false;
#ifndef NO_LOAD
	p[n].has = 0; p[n].batch = 0;
#endif
#ifndef FEWER
	if
	:: p[n].renewal == SENT && p[n].epoch != 0 -> p[n].late_epoch = p[n].epoch
	:: else
	fi;
#endif
	p[n].renewal = NONE; p[n].renewal_age = 0;
	if
	:: p[n].commit == SENT && !p[n].is_ghost -> p[n].is_ghost = true; p[n].ghost_what = p[n].commit_what;
		p[n].ghost_base = p[n].commit_base; p[n].ghost_epoch = p[n].epoch
	:: else
	fi;
	p[n].commit = NONE; p[n].commit_what = 0; p[n].commit_base = 0;
	p[n].epoch = 0;
	if
	:: p[n].call == ASKED -> p[n].call = NONE; p[n].call_kind = 0; p[n].call_host = 0; p[n].call_epoch = 0
	:: else
	fi
}

#ifdef REPLAY
#define TAKE_SEND 1
#define TAKE 2
#define OPEN 3
#define RENEW_SEND 4
#define RENEW 5
#define RENEWED 6
#define RENEW_LOSE 7
#define RENEW_LATE 8
#define LEAVE 9
#define GIVE_BACK 10
#define COMMIT_SEND 11
#define REPEAT 12
#define COMMIT 13
#define HAPPENED 14
#define COMMIT_LOSE 15
#define GHOST 16
#define GHOST_LOSE 17
#define SETTLE 18
#define SEND_AGAIN 19
#define EXPLAIN 20
#define READ 21
#define ASK 22
#define CALL 23
#define DROP 24
#define CARRY_OUT 25
#define CALL_LOSE 26
#define STAND_STILL 27
#define GO_ON 28
#define END 29
#define TICK 30
#define CUT 31
#define MEND 32
#define CLOCK 33
#define EMPTY 34
#define FORK_STEP 35
#define GIVE_UP 36

c_code {
	enum { STEPS_MAX = 200000 };
	static struct { int step, who; char name[16]; int arg; } steps[STEPS_MAX];
	static int step_count, furthest;
	static void say_end(void)
	{
		if (furthest < step_count)
			printf("stopped at step %d of %d: %s %d %d\n", furthest, step_count, steps[furthest - 1].name, steps[furthest - 1].who,
			       steps[furthest - 1].arg);
	}
	static void read_steps(void)
	{
		const char *path = getenv("HISTORY");
		FILE *file = path ? fopen(path, "r") : NULL;
		if (!file)
			exit(2);
		while (step_count < STEPS_MAX && fscanf(file, "%d %15s %d %d", &steps[step_count].step, steps[step_count].name,
				&steps[step_count].who, &steps[step_count].arg) == 4)
			step_count++;
		fclose(file);
		atexit(say_end);
	}
	static void next_step(void)
	{
		if (now.at == step_count) {
			furthest = step_count;
			printf("all %d steps\n", step_count);
			fflush(stdout);
			_exit(0);
		}
		now.want = steps[now.at].step;
		now.who = steps[now.at].who;
		now.arg = steps[now.at].arg;
		now.at++;
		if (now.at > furthest)
			furthest = now.at;
	}
}
#endif

/* dari_fence() */
inline commit_in_database(of_epoch, base, what, ret_ok)
{
	ret_ok = true;
#ifndef NO_EPOCH
	ret_ok = ret_ok && of_epoch == db_epoch;
#endif
#ifndef NO_BATCH
	ret_ok = ret_ok && base == db_batch;
#endif
	if
	:: ret_ok -> assert((db_has & what) == 0); /* no change is made twice */
		keep_state();
		db_has = db_has | what; db_batch++
	:: else
	fi
}

inline happened(n)
{
	p[n].has = p[n].has | p[n].commit_what;
	find_place(n);
	p[n].batch++;
	answered = answered | TOLD(p[n].commit_what);
	assert((answered & ~db_has) == 0); /* no answered change is lost */
	p[n].commit = NONE; p[n].commit_what = 0; p[n].commit_base = 0
}

inline forget_call(n)
{
	p[n].call = NONE; p[n].call_kind = 0; p[n].call_host = 0; p[n].call_age = 0; p[n].call_epoch = 0
}

/* A host that loses power ends the connections to it, so no call from before reaches it later. */
inline lose_calls(h)
{
#ifdef REPLAY
	one = 0;
	do
	:: one < PROCESSES && p[one].call == CALLED && p[one].call_kind != OFF && p[one].call_host == h -> forget_call(one); one++
	:: one < PROCESSES && !(p[one].call == CALLED && p[one].call_kind != OFF && p[one].call_host == h) -> one++
	:: else -> break
	od
#else
	if
	:: p[0].call == CALLED && p[0].call_kind != OFF && p[0].call_host == h -> forget_call(0)
	:: else
	fi;
	if
	:: p[1].call == CALLED && p[1].call_kind != OFF && p[1].call_host == h -> forget_call(1)
	:: else
	fi
#endif
}

#ifdef FORK
bool is_beside = false;
inline find_caller_beside(n)
{
#ifdef REPLAY
	one = 0; is_beside = false;
	do
	:: one < PROCESSES -> is_beside = is_beside || (one != n && p[one].call == CALLED); one++
	:: else -> break
	od
#else
	is_beside = p[1 - n].call == CALLED
#endif
}
#endif

inline carry_out(n)
{
#ifndef LATE_CALLS
#ifdef FORK
	if
	:: forks > 0 -> find_caller_beside(n); assert(!is_beside) /* no two call hosts at the same time */
	:: else
	fi;
	assert(forks > 0 || p[n].call_epoch >= acted_epoch);
#else
	assert(p[n].call_epoch >= acted_epoch); /* hosts see the writers in their order */
#endif
	acted_epoch = p[n].call_epoch;
#endif
	if
	:: p[n].call_kind == OFF -> runs[p[n].call_host] = false; is_off[p[n].call_host] = true; lose_calls(p[n].call_host)
	:: p[n].call_kind == STOP && !is_cut[p[n].call_host] -> runs[p[n].call_host] = false
#ifdef NO_LOCK
	:: p[n].call_kind == START && !is_cut[p[n].call_host] && !is_off[p[n].call_host] -> runs[p[n].call_host] = true
#else
	:: p[n].call_kind == START && !is_cut[p[n].call_host] && !is_off[p[n].call_host] && !IS_LOCKED_BY(1 - p[n].call_host) ->
		runs[p[n].call_host] = true
#endif
	:: else
	fi;
	assert(!(runs[0] && runs[1])); /* never two guests on one disk */
	forget_call(n)
}

proctype dari(byte n)
{
	bool is_ok = false;
	do
#ifdef REPLAY
	:: d_step { want == 0 -> c_code { next_step(); }; n = who }
#endif
	/* --- lease */
	:: d_step { STEP(TAKE_SEND) p[n].role == FOLLOWER && !p[n].stands_still && LAST_EPOCH < EPOCHS && p[n].call == NONE && !p[n].is_ghost -> DID
		p[n].role = TAKING; p[n].renewal = SENT; p[n].renewal_age = 0 }
	:: d_step { STEP(TAKE) p[n].role == TAKING && p[n].renewal == SENT -> DID
#ifndef NO_EXPIRY
		if
		:: lease_left > 0 && !HOLDER_HAS_ENDED(n) -> p[n].renewal = REFUSED; MUST(false)
		:: else ->
#endif
			keep_state();
			p[n].acts_in = (is_given_back -> WAIT_AFTER_LEAVE : LEASE_LEFT + WAIT);
#ifdef NO_RAISE
			p[n].epoch = (db_epoch == 0 -> 1 : db_epoch); db_epoch = p[n].epoch;
#elif defined(FORK) && !defined(NO_UNIQUE)
			last_epoch++; db_epoch = last_epoch; p[n].epoch = db_epoch; /* the product draws it, so none is given twice */
#else
			db_epoch++; p[n].epoch = db_epoch;
#ifdef FORK
			last_epoch++;
#endif
#endif
#ifndef NO_LOAD
			p[n].batch = db_batch; p[n].has = db_has;
#endif
			find_place(n);
			db_holder = n; is_given_back = false;
			lease_left = TTL; p[n].renewal = DONE
#ifndef NO_EXPIRY
		fi
#endif
		}
	:: d_step { STEP(END) p[n].role == TAKING && p[n].renewal == REFUSED && !p[n].stands_still -> DID end(n) }
	:: d_step { STEP(OPEN) p[n].role == TAKING && p[n].renewal == DONE && !p[n].stands_still -> DID
		p[n].role = WRITER;
		p[n].left = (p[n].renewal_age < TTL -> TTL - p[n].renewal_age : 0);
		p[n].renewal = NONE; p[n].renewal_age = 0 }
	:: d_step { STEP(RENEW_SEND) p[n].role == WRITER && !p[n].stands_still && p[n].renewal == NONE && !p[n].is_lost -> DID
		p[n].renewal = SENT; p[n].renewal_age = 0 }
	:: d_step { STEP(RENEW) p[n].role == WRITER && p[n].renewal == SENT -> DID
#ifdef NO_RENEWAL_EPOCH
		lease_left = TTL; p[n].renewal = DONE
#else
		if
		:: p[n].epoch == db_epoch -> keep_state(); lease_left = TTL; is_given_back = false; p[n].renewal = DONE; MUST(arg == 1)
		:: else -> p[n].renewal = REFUSED; MUST(arg == 0)
		fi
#endif
		}
	:: d_step { STEP(RENEWED) p[n].role == WRITER && p[n].renewal == DONE && !p[n].stands_still -> DID
#if defined(FORK) && !defined(NO_LAPSE)
		/* a take-over that was lost may have followed the lease's end */
		p[n].acts_in = (p[n].left == 0 -> WAIT : p[n].acts_in);
#endif
#ifdef NO_SENT
		p[n].left = TTL;
#else
		if
		:: p[n].renewal_age < TTL && TTL - p[n].renewal_age > p[n].left -> p[n].left = TTL - p[n].renewal_age
		:: else
		fi;
#endif
		p[n].renewal = NONE; p[n].renewal_age = 0 }
	:: d_step { STEP(END) p[n].role == WRITER && p[n].renewal == REFUSED && !p[n].stands_still -> DID end(n) } /* status 71 */
	:: d_step { STEP(RENEW_LOSE) p[n].role == WRITER && p[n].renewal != NONE && !p[n].stands_still -> DID /* no answer in time */
#ifndef FEWER
		if
		:: p[n].renewal == SENT -> p[n].late_epoch = p[n].epoch
		:: else
		fi;
#endif
		p[n].renewal = NONE; p[n].renewal_age = 0 }
#ifndef FEWER
	:: d_step { STEP(RENEW_LATE) p[n].late_epoch != 0 && p[n].late_epoch == db_epoch -> DID keep_state(); lease_left = TTL; is_given_back = false }
	/* an orderly end: nothing is under way, and nothing begins */
	:: d_step { STEP(LEAVE) p[n].role == WRITER && !p[n].stands_still && p[n].call == NONE && p[n].commit == NONE -> DID
		p[n].leave_epoch = p[n].epoch; end(n) }
	:: d_step { STEP(GIVE_BACK) p[n].leave_epoch != 0 && p[n].leave_epoch == db_epoch -> DID keep_state();
		lease_left = 0; is_given_back = true; p[n].leave_epoch = 0 }
#endif

	/* --- changes */
#ifdef REPLAY
	:: d_step { STEP(COMMIT_SEND) p[n].role == WRITER && !p[n].stands_still && p[n].commit == NONE && arg != 0 && (p[n].has & arg) == 0 -> DID
		p[n].commit = SENT; p[n].commit_what = arg; p[n].commit_base = p[n].batch }
	:: d_step { STEP(REPEAT) p[n].role == WRITER && !p[n].stands_still -> DID answered = answered | TOLD(p[n].has) }
#else
	:: d_step { p[n].role == WRITER && !p[n].stands_still && p[n].commit == NONE && (p[n].has & 1) == 0 ->
		p[n].commit = SENT; p[n].commit_what = 1; p[n].commit_base = p[n].batch }
	:: d_step { p[n].role == WRITER && !p[n].stands_still && p[n].commit == NONE && (p[n].has & PLACE) == 0 ->
		p[n].commit = SENT; p[n].commit_what = PLACE; p[n].commit_base = p[n].batch }
	:: d_step { p[n].role == WRITER && !p[n].stands_still && (TOLD(p[n].has) & ~answered) != 0 ->
		answered = answered | TOLD(p[n].has) } /* the client's repetition, found by its token */
#endif
	:: d_step { STEP(COMMIT) p[n].commit == SENT -> DID
		commit_in_database(p[n].epoch, p[n].commit_base, p[n].commit_what, is_ok);
		MUST(is_ok == arg);
		p[n].commit = (is_ok -> DONE : REFUSED); is_ok = false }
	:: d_step { STEP(HAPPENED) p[n].commit == DONE && !p[n].stands_still -> DID happened(n) }
	:: d_step { STEP(END) p[n].commit == REFUSED && !p[n].stands_still -> DID end(n) }
	:: d_step { STEP(COMMIT_LOSE) ARG(1) p[n].commit == SENT && !p[n].is_ghost -> DID p[n].commit = UNKNOWN;
		p[n].is_ghost = true; p[n].ghost_what = p[n].commit_what; p[n].ghost_base = p[n].commit_base; p[n].ghost_epoch = p[n].epoch }
	:: d_step { STEP(COMMIT_LOSE) ARG(0) p[n].commit != NONE && p[n].commit != UNKNOWN && IS_LOST_EARLY(n) -> DID p[n].commit = UNKNOWN }
	:: d_step { STEP(GHOST) p[n].is_ghost -> DID
		commit_in_database(p[n].ghost_epoch, p[n].ghost_base, p[n].ghost_what, is_ok);
		MUST(is_ok == arg);
		is_ok = false; p[n].is_ghost = false; p[n].ghost_what = 0; p[n].ghost_base = 0; p[n].ghost_epoch = 0 }
	:: d_step { STEP(GHOST_LOSE) p[n].is_ghost -> DID
		p[n].is_ghost = false; p[n].ghost_what = 0; p[n].ghost_base = 0; p[n].ghost_epoch = 0 }
	:: d_step { STEP(SETTLE) p[n].commit == UNKNOWN -> DID /* the database reads the fence's row for the process */
		if
		:: p[n].epoch != db_epoch || db_batch < p[n].commit_base -> p[n].commit = REFUSED
		:: p[n].epoch == db_epoch && db_batch > p[n].commit_base -> p[n].commit = DONE
		:: else -> p[n].commit = KNOWN_NOT
		fi }
	:: d_step { STEP(SEND_AGAIN) p[n].commit == KNOWN_NOT && !p[n].stands_still -> DID p[n].commit = SENT }
#ifdef FORK
	/* the fence refuses a batch that goes on from one that is lost: the process refuses changes, until somebody ends it */
	:: d_step { STEP(GIVE_UP) p[n].commit == REFUSED && !p[n].stands_still -> DID
		p[n].commit = NONE; p[n].commit_what = 0; p[n].commit_base = 0 }
#endif
#ifndef FEWER
	/* the fence refuses a batch that was sent twice, because the first one arrived late: its row tells */
	:: d_step { STEP(EXPLAIN) p[n].commit == REFUSED -> DID
		if
		:: p[n].epoch == db_epoch && db_batch == p[n].commit_base + 1 -> p[n].commit = DONE
		:: else
		fi }
#endif

	/* --- reads from memory, while the lease is held: they show every answered change, and nobody else writes */
	:: d_step { STEP(READ) p[n].role == WRITER && !p[n].stands_still && IS_HELD(n) && p[n].commit == NONE && IS_SOUND -> DID
		assert((answered & ~p[n].has) == 0);
		assert(p[n].epoch == db_epoch);
		skip }

	/* --- calls to hosts: the step asks, looks at the hosts, and sends */
	:: d_step { STEP(ASK) ARG(STOP * 2 + 1 - PLACE_OF(n)) !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && runs[1 - PLACE_OF(n)] && !is_cut[1 - PLACE_OF(n)] -> DID
		p[n].call = ASKED; p[n].call_kind = STOP; p[n].call_host = 1 - PLACE_OF(n); p[n].call_epoch = p[n].epoch }
	:: d_step { STEP(ASK) ARG(START * 2 + PLACE_OF(n)) !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && !runs[PLACE_OF(n)] && !is_cut[PLACE_OF(n)] && !is_off[PLACE_OF(n)] &&
#ifdef NO_PROOF
		(is_cut[1 - PLACE_OF(n)] || !runs[1 - PLACE_OF(n)]) -> DID
#else
		(is_off[1 - PLACE_OF(n)] || (!is_cut[1 - PLACE_OF(n)] && !runs[1 - PLACE_OF(n)])) -> DID
#endif
		p[n].call = ASKED; p[n].call_kind = START; p[n].call_host = PLACE_OF(n); p[n].call_epoch = p[n].epoch }
	:: d_step { STEP(ASK) ARG(OFF * 2 + 1 - PLACE_OF(n)) !p[n].stands_still && p[n].call == NONE && MAY_ACT(n) && is_cut[1 - PLACE_OF(n)] && !is_off[1 - PLACE_OF(n)] -> DID
		p[n].call = ASKED; p[n].call_kind = OFF; p[n].call_host = 1 - PLACE_OF(n); p[n].call_epoch = p[n].epoch }
#ifdef NO_RECHECK
	:: d_step { STEP(CALL) p[n].call == ASKED && !p[n].stands_still -> DID p[n].call = CALLED }
#else
	:: d_step { STEP(CALL) p[n].call == ASKED && !p[n].stands_still && MAY_ACT(n) -> DID p[n].call = CALLED }
#endif
#ifndef FEWER
	:: d_step { STEP(DROP) p[n].call == ASKED && !p[n].stands_still -> DID forget_call(n) }
#else
	:: d_step { p[n].call == ASKED && !p[n].stands_still && !MAY_ACT(n) -> forget_call(n) }
#endif
	:: d_step { STEP(CARRY_OUT) p[n].call == CALLED -> DID carry_out(n) }
	:: d_step { STEP(CALL_LOSE) p[n].call == CALLED -> DID forget_call(n) }

	/* --- what goes wrong */
	:: d_step { STEP(STAND_STILL) !p[n].stands_still && p[n].role != FOLLOWER -> DID p[n].stands_still = true }
	:: d_step { STEP(GO_ON) p[n].stands_still -> DID p[n].stands_still = false }
	:: d_step { STEP(END) p[n].role != FOLLOWER -> DID end(n) } /* kill -9 */
	od
}

/* Leases of past states end at their time, too. */
inline age_past()
{
#ifdef FORK
	LESS_PAST(0); LESS_PAST(1); LESS_PAST(2)
#else
	skip
#endif
}

inline age(n)
{
	LESS(p[n].left);
	LESS(p[n].acts_in);
	if
#ifdef REPLAY
	:: p[n].renewal != NONE && p[n].renewal_age < TTL -> p[n].renewal_age = p[n].renewal_age + arg
#else
	:: p[n].renewal != NONE && p[n].renewal_age < TTL -> p[n].renewal_age++
#endif
	:: else
	fi;
#ifndef LATE_CALLS
	if
#ifdef REPLAY
	:: p[n].call == CALLED -> p[n].call_age = p[n].call_age + arg; assert(p[n].call_age <= CALL_MAX)
#else
	:: p[n].call == CALLED -> p[n].call_age++
#endif
	:: else
	fi
#endif
}

init {
	atomic {
#ifdef REPLAY
		c_code { read_steps(); };
		runs[0] = true; /* the history's first step says whether it does */
		run dari(0)
#else
		if
		:: runs[0] = true
		:: skip
		fi;
		run dari(0); run dari(1)
#endif
	};
	do
#ifdef REPLAY
	:: d_step { want == TICK -> want = 0;
		LESS_LEASE;
		age_past(); LESS(fork_left);
		one = 0;
		do
		:: one < PROCESSES -> age(one); one++
		:: else -> break
		od }
	:: d_step { want == EMPTY -> want = 0; runs[0] = false }
	:: d_step { want == CLOCK -> want = 0; age_past(); lease_left = (is_given_back -> lease_left : lease_left - arg) } /* the database's clock is set */
	:: d_step { want == FORK_STEP && arg <= past_count -> want = 0; fork_database(arg) }
#else
	:: d_step { p[0].call_age < CALL_MAX && p[1].call_age < CALL_MAX ->
		LESS_LEASE;
		age_past();
#ifdef FORK
		LESS(fork_left);
#endif
		age(0); age(1) }
#ifdef FORK
	:: d_step { forks < FORKS && past_count >= 1 -> fork_database(1) }
	:: d_step { forks < FORKS && past_count >= 2 -> fork_database(2) }
	:: d_step { forks < FORKS && past_count >= 3 -> fork_database(3) }
#endif
#endif
	:: d_step { HOST_STEP(CUT, 0) !is_cut[0] -> DID is_cut[0] = true } /* the guest goes on */
	:: d_step { HOST_STEP(MEND, 0) is_cut[0] -> DID is_cut[0] = false; is_off[0] = false } /* with the guest, or started again without it */
#ifdef REPLAY
	:: d_step { HOST_STEP(CUT, 1) !is_cut[1] -> DID is_cut[1] = true }
	:: d_step { HOST_STEP(MEND, 1) is_cut[1] -> DID is_cut[1] = false; is_off[1] = false }
#endif
	od
}
