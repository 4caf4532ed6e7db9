/* SPDX-License-Identifier: Apache-2.0
 * each_fault [--one-in K] [--seed S] [--once 1] FOLDER: replays every changing golden case of a face (or one
 * of each action) many times. In the n-th run the n-th allocation, SQL call, file operation or driver call of
 * its last call fails, or the process is killed there, for every n (or for one in K, chosen by the seed). For
 * some n, one more point of any class fails soon after. Then the faults end and the process restarts. A
 * refused call must have left nothing and must succeed when it is sent again; an answered one must be carried
 * out; and in the end the region must look as if nothing had happened. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/api/script.h"
#include "api/autoscaling/autoscaling.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/ec2/core/action.h"
#include "api/elb/elb.h"
#include "api/iam/iam.h"
#include "api/openstack/core/action.h"
#include "base/clock.h"
#include "base/vec.h"
#include "pool.h"
#include "simulation.h"
#include "store/account.h"

enum {
	CASES_MAX = 8192,
	ACTIONS_MAX = 512,
	LINES_MAX = 64,
	TABLE_SIZE_MAX = 256 * 1024,
	CASE_LIMIT_S = 1800,
	STEPS_MAX = 200000
};
enum { NAME_MAX_SIZE = 80 }; /* of an action's name */
enum { TWICE_ONE_IN = 4 };   /* one in so many of the chosen places gets a second fault */
enum { EXIT_NOT_TOLD = 3 };  /* exit status: the case is a refusal, or uses names of another region */

static struct told_case {
	char path[256];
	int number; /* number in a table of cases, from 1 on; 0: the file is one case */
} cases[CASES_MAX];
static size_t case_count;
static const char *actions[ACTIONS_MAX]; /* changing actions: names, or OpenStack's policies */
static size_t action_count;
static bool is_covered[ACTIONS_MAX];
static char (*told_actions)[NAME_MAX_SIZE]; /* by case; shared with the child processes */
static uint64_t one_in = 1, seed = 1, failures;
static bool tells_once;

/* ---- one case ---- */

/* How the last call is interrupted. */
struct way {
	const char *words;
	unsigned points;        /* classes of points that fail */
	bool forever;           /* all later points of the class fail, too */
	bool twice;             /* one more point, of a random class, fails soon after */
	bool kills;             /* kill the process in that step */
	bool by_steps;          /* count steps of the executor instead of points */
	bool at_commit, has_it; /* kill at the next commit */
};

static const struct way ways[] = {
	{"allocation", FAULT_ALLOC, .forever = false},
	{"SQL call", FAULT_SQL, .forever = false},
	{"file operation", FAULT_FILE, .forever = false},
	{"driver call", FAULT_DRIVER, .forever = false},
	{"allocation and one more", FAULT_ALLOC, .twice = true},
	{"SQL call and one more", FAULT_SQL, .twice = true},
	{"file operation and one more", FAULT_FILE, .twice = true},
	{"driver call and one more", FAULT_DRIVER, .twice = true},
	{"driver call, killed", FAULT_DRIVER, .forever = true, .kills = true},
	{"step, killed", .by_steps = true, .kills = true},
	{"commit lost, killed", .kills = true, .at_commit = true},
	{"commit kept, killed", .kills = true, .at_commit = true, .has_it = true},
};
enum { WAYS = sizeof ways / sizeof *ways };

struct telling {
	struct simulation s;
	struct script script;
	struct script_stage stage;
	struct str lines[LINES_MAX];
	size_t line_count;
	struct fake_call http;
};
static struct telling t;
static const char *path_told;
static int number_told;
static bool fits_told; /* the case works in this region */
static const struct way *way_told;
static uint64_t n_told, steps_taken, steps_counted;
static char action_told[NAME_MAX_SIZE];

static _Noreturn void die(const char *what, struct str a, struct str b)
{
	printf("%s: %s number %llu: %s\n%.*s%s%.*s\n", path_told, way_told ? way_told->words : "none",
	       (unsigned long long) n_told, what, STR_ARG(a), b.p ? "\n---\n" : "", STR_ARG(b));
	(void) fflush(stdout);
	_exit(1);
}

/* ---- the stage ---- */

static void step_or_resume(void)
{
	struct cloud *c = t.s.region.cloud;
	if (!t.http.is_woken) {
		(void) executor_step(c->executor, clock_now_us() + MINUTE);
		return;
	}
	t.http.is_woken = false;
	t.http.resume(&t.http.call);
}

static const struct world_user *find_user(enum script_user user)
{
	struct region *r = &t.s.region;
	return user == SCRIPT_NOBODY  ? NULL
	       : user == SCRIPT_ADMIN ? &r->users[ADMIN]
	       : user == SCRIPT_KEY   ? &r->users[SCRIPT_ALICE]
				      : &r->users[user];
}

static void sign(enum script_user user, bool is_get, struct str parameters)
{
	struct region *r = &t.s.region;
	ctx_init(&r->cloud->c, r->cloud->arena);
	world_sign_call(&r->cloud->c, find_user(user), is_get ? "GET" : "POST", parameters, &t.http);
	t.http.call.self = region_face_for(r, &t.http.call);
}

static void write_request(const struct script_request *request)
{
	struct region *r = &t.s.region;
	ctx_init(&r->cloud->c, r->cloud->arena);
	world_request_call(&r->cloud->c, r->tokens, r->bearers, find_user(request->user), request, &t.http);
	t.http.call.self = region_face_for(r, &t.http.call);
}

static struct world_answer answer(void)
{
	struct world_answer a = {t.http.status, str_copy(t.s.region.cloud->arena, buf_str(&t.http.body))};
	if (t.http.call.action)
		snprintf(action_told, sizeof action_told, "%s", t.http.call.action);
	fake_call_done(&t.http);
	return a;
}

static void await_answer(struct str what)
{
	for (int n = 0; !t.http.is_answered; n++) {
		if (n == STEPS_MAX)
			die("a call is never answered", what, STR_NONE);
		step_or_resume();
	}
}

static struct world_answer call(void *self, enum script_user user, bool is_get, struct str parameters)
{
	(void) self;
	sign(user, is_get, parameters);
	fake_call_handle(&t.http, &api_http_face);
	await_answer(parameters);
	return answer();
}

static struct world_answer request(void *self, const struct script_request *r)
{
	(void) self;
	write_request(r);
	fake_call_handle(&t.http, &api_http_face);
	await_answer(r->path);
	return answer();
}

static void settle(void *self)
{
	(void) self;
	cloud_settle(t.s.region.cloud);
}

static void let_pass(void *self, int64_t us)
{
	(void) self;
	cloud_step_for(t.s.region.cloud, us);
}

static void operate(void *self, op_run run, void *wish)
{
	(void) self;
	if (!result_is_ok(cloud_call(t.s.region.cloud, NULL, run, wish)))
		die("the operator cannot", STR_NONE, STR_NONE);
}

/* Actions of AWS's query protocols are named by their first word, which follows the caller: "@key ListUsers&…". */
static bool is_query_read(struct str line)
{
	static const char *const reads[] = {"Describe", "Get", "List"};
	if (line.n && line.p[0] == '@')
		line = str_slice(line, str_find_char(line, ' ', 0) + 1, line.n);
	for (size_t k = 0; k < sizeof reads / sizeof *reads; k++)
		if (str_starts_with(line, str_from(reads[k])))
			return true;
	return false;
}

/* A case may end with reads after its change. */
static bool is_change_line(struct str line)
{
	return script_is_call(line) && !str_contains(line, STR("GET /")) &&
	       !str_contains(line, STR("HEAD /")) && !is_query_read(line);
}

/* Golden cases call hosts "hv1", "hv2", …; this region "h0", "h1", …. Returns the new size. */
static size_t name_hosts(char *bytes, size_t size)
{
	static const char theirs[] = "\"hv";
	for (char *at = bytes; (at = memmem(at, size - (size_t) (at - bytes), theirs, sizeof theirs - 1));) {
		at[2] = (char) (at[3] - 1);
		memmove(at + 3, at + 4, size - (size_t) (at + 4 - bytes));
		size--;
	}
	return size;
}

/* Replaces a name of the golden cases' region by one of the same length. */
static void replace_all(char *bytes, size_t size, const char *theirs, struct str ours)
{
	char *at = bytes, *end = bytes + size;
	assert_true(strlen(theirs) == ours.n);
	while ((at = memmem(at, (size_t) (end - at), theirs, ours.n)))
		memcpy(at, ours.p, ours.n);
}

/* The region and its first account have other names than in the golden cases. */
static void use_own_names(char *bytes, size_t size)
{
	AUTO_VIEW view = {0};
	view_open(t.s.region.cloud->store, &view);
	const struct account *account = account_find(view.tables, t.s.region.users[SCRIPT_ALICE].who.account);
	replace_all(bytes, size, "us-east-1", STR("xy-west-2"));
	replace_all(bytes, size, "601465393743", account->number);
}

static void read_lines(struct arena *a)
{
	static char bytes[TABLE_SIZE_MAX];
	FILE *file = fopen(path_told, "rb");
	struct str text = {bytes, file ? fread(bytes, 1, sizeof bytes, file) : 0}, line;
	if (file)
		(void) fclose(file);
	use_own_names(bytes, text.n);
	text.n = name_hosts(bytes, text.n);
	text = str_copy(a, text);
	struct str rest = text, name;
	for (int k = 0; k < number_told; k++)
		(void) script_next_case(&rest, &name, &text);
	for (t.line_count = 0; t.line_count < LINES_MAX && str_split_next(&text, '\n', &line);)
		if (script_is_call(line) || str_starts_with(line, STR("@settle")) ||
		    str_starts_with(line, STR("@wait")) || str_starts_with(line, STR("@maintenance")) ||
		    str_starts_with(line, STR("@version")))
			t.lines[t.line_count++] = line;
	while (t.line_count && !is_change_line(t.lines[t.line_count - 1]))
		t.line_count--;
}

/* Runs all calls before the last one. */
static void prepare(void)
{
	t = (struct telling){.s.seed = seed};
	region_open(&t.s.region, 6); /* without a shared pool, because a case may name any type of volume */
	t.stage = (struct script_stage){.arena = t.s.region.cloud->arena,
					.image = t.s.region.image_id,
					.image_uuid =
						uuid_to_str(t.s.region.cloud->arena, t.s.region.cloud->image),
					.call = call,
					.request = request,
					.settle = settle,
					.wait = let_pass,
					.operate = operate};
	t.script.stage = &t.stage;
	read_lines(t.stage.arena);
	for (size_t k = 0; k + 1 < t.line_count; k++)
		script_run(&t.script, t.lines[k]);
	settle(NULL);
}

static void finish(void)
{
	cloud_check(t.s.region.cloud);
	bills_check(&t.s);
	region_kill(&t.s.region);
	cloud_free(t.s.region.cloud);
}

static struct world_answer send_last(void)
{
	script_run(&t.script, t.lines[t.line_count - 1]);
	return t.script.history[t.script.count - 1];
}

/* ---- faces of AWS's other services ---- */

static const char *const iam_lists[] = {"Action=ListUsers&Version=2010-05-08",
					"Action=ListGroups&Version=2010-05-08",
					"Action=ListRoles&Version=2010-05-08",
					"Action=ListPolicies&Version=2010-05-08&Scope=Local",
					"Action=ListInstanceProfiles&Version=2010-05-08",
					"Action=GetAccountAuthorizationDetails&Version=2010-05-08",
					"Action=ListServerCertificates&Version=2010-05-08",
					"Action=ListOpenIDConnectProviders&Version=2010-05-08",
					"Action=ListSAMLProviders&Version=2010-05-08",
					"Action=ListVirtualMFADevices&Version=2010-05-08",
					"Action=ListAccountAliases&Version=2010-05-08",
					NULL};
static const char *const elb_lists[] = {
	"Action=DescribeLoadBalancers&Version=2015-12-01",
	"Action=DescribeTargetGroups&Version=2015-12-01",
	"Action=DescribeLoadBalancerAttributes&Version=2015-12-01&LoadBalancerArn=$(LoadBalancerArn)",
	"Action=DescribeTags&Version=2015-12-01&ResourceArns.member.1=$(LoadBalancerArn)",
	"Action=DescribeTargetGroupAttributes&Version=2015-12-01&TargetGroupArn=$(TargetGroupArn)",
	"Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=$(TargetGroupArn)",
	"Action=DescribeTags&Version=2015-12-01&ResourceArns.member.1=$(TargetGroupArn)",
	"Action=DescribeListeners&Version=2015-12-01&LoadBalancerArn=$(LoadBalancerArn)",
	"Action=DescribeListenerAttributes&Version=2015-12-01&ListenerArn=$(ListenerArn)",
	"Action=DescribeListenerCertificates&Version=2015-12-01&ListenerArn=$(ListenerArn)",
	"Action=DescribeRules&Version=2015-12-01&ListenerArn=$(ListenerArn)",
	NULL};
static const char *const elb_classic_lists[] = {
	"Action=DescribeLoadBalancers&Version=2012-06-01",
	"Action=DescribeLoadBalancerPolicies&Version=2012-06-01&LoadBalancerName=$(LoadBalancerName)",
	"Action=DescribeLoadBalancerAttributes&Version=2012-06-01&LoadBalancerName=$(LoadBalancerName)",
	"Action=DescribeTags&Version=2012-06-01&LoadBalancerNames.member.1=$(LoadBalancerName)", NULL};
static const char *const autoscaling_lists[] = {
	"Action=DescribeAutoScalingGroups&Version=2011-01-01",
	"Action=DescribeLaunchConfigurations&Version=2011-01-01",
	"Action=DescribePolicies&Version=2011-01-01",
	"Action=DescribeScheduledActions&Version=2011-01-01",
	"Action=DescribeTags&Version=2011-01-01",
	"Action=DescribeNotificationConfigurations&Version=2011-01-01",
	"Action=DescribeLifecycleHooks&Version=2011-01-01"
	"&AutoScalingGroupName=$(AutoScalingGroupName)",
	"Action=DescribeTrafficSources&Version=2011-01-01"
	"&AutoScalingGroupName=$(AutoScalingGroupName)",
	"Action=DescribeAutoScalingInstances&Version=2011-01-01",
	NULL};

/* Folder of the golden cases, the face, and lists of what its actions change. */
static const struct query_face {
	const char *folder;
	const struct api_protocol *protocol;
	const char *const *lists;
} query_faces[] = {{"golden/iam", &iam_protocol, iam_lists},
		   {"golden/elb_classic", &elb_classic_protocol, elb_classic_lists},
		   {"golden/elb", &elb_protocol, elb_lists},
		   {"golden/autoscaling", &autoscaling_protocol, autoscaling_lists}};
static const struct query_face *query_face; /* of the folder that was given; NULL: another face */

static void choose_query_face(struct str folder)
{
	for (size_t k = 0; k < sizeof query_faces / sizeof *query_faces && !query_face; k++)
		if (str_contains(folder, str_from(query_faces[k].folder)))
			query_face = &query_faces[k];
}

/* ---- what is seen, but for ids, addresses, times and order ---- */

static int compare_pieces(const void *a, const void *b)
{
	return str_compare(*(const struct str *) a, *(const struct str *) b);
}

/* Adds the lists of the face. A list can name one member of an earlier one, and is left out if there is none. */
static void add_query_lists(struct buf *b)
{
	struct arena *a = t.stage.arena;
	struct buf seen;
	buf_init(&seen, 16 << 20);
	for (size_t k = 0; query_face && query_face->lists[k]; k++) {
		struct str query = str_from(query_face->lists[k]);
		size_t mark = str_find_char(query, '$', 0);
		struct str name = str_slice(query, mark + 2, query.n - 1);
		struct str value = mark < query.n ? world_find(a, buf_str(&seen), name) : STR_NONE;
		if (mark < query.n && !value.n)
			continue;
		query = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(str_slice(query, 0, mark)),
				  STR_ARG(value));
		struct str answer = request_get_answer(&t.s, 0, query.p);
		buf_add_str(&seen, answer);
		buf_add_str(b, answer);
	}
	buf_done(&seen);
}

/* Rows of kinds that the histories' model does not contain. */
static struct str read_rest(void)
{
	static const char *const own[] = {
		"GET /compute/v2.1/os-keypairs",
		"GET /compute/v2.1/os-server-groups",
		"GET /image/v2/images?limit=1000",
		"GET /network/v2.0/floatingips",
		"GET /compute/v2.1/limits",
		"GET /network/v2.0/networks",
		"GET /network/v2.0/ports",
		"GET /network/v2.0/routers",
		"GET /load-balancer/v2/lbaas/loadbalancers",
		"GET /load-balancer/v2/lbaas/listeners",
		"GET /load-balancer/v2/lbaas/pools",
		"GET /load-balancer/v2/lbaas/l7policies",
		"GET /client/api?command=listAsyncJobs",
	};
	static const char *const admins[] = {
		"GET /identity/v3/users",
		"GET /identity/v3/projects",
		"GET /identity/v3/domains",
		"GET /identity/v3/groups",
		"GET /identity/v3/roles",
		"GET /identity/v3/role_assignments",
		"GET /volume/v3/types",
		"GET /compute/v2.1/flavors/detail",
		"GET /client/api?command=listAsyncJobs",
	};
	struct buf b;
	buf_init(&b, 16 << 20);
	for (size_t k = 0; k < sizeof own / sizeof *own; k++)
		for (unsigned account = 0; account <= 1; account++)
			buf_add_str(&b, request_get_answer(&t.s, account, own[k]));
	for (size_t k = 0; k < sizeof admins / sizeof *admins; k++)
		buf_add_str(&b, request_get_answer(&t.s, ADMIN, admins[k]));
	add_query_lists(&b);
	struct str text = str_copy(t.stage.arena, buf_str(&b));
	buf_done(&b);
	return text;
}

static bool is_new_each_time(struct str piece)
{
	static const char *const ends[] = {"</keyFingerprint", "</fingerprint", "</public_key",
					   "</updated_at", "</updated"};
	for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
		if (str_ends_with(piece, str_from(ends[k])))
			return true;
	return false;
}

static struct str read_shape(void)
{
	struct arena *a = t.stage.arena;
	struct str listed = listings_read(&t.s), rest = read_rest(), piece;
	struct str text = str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(listed), STR_ARG(rest));
	VEC(struct str) pieces = {0};
	char *out = arena_alloc(a, text.n + 1);
	size_t size = 0;
	while (str_split_next(&text, '>', &piece)) {
		size_t from = size;
		if (is_new_each_time(piece))
			continue;
		for (size_t k = 0; k < piece.n; k++)
			if (!strchr("0123456789abcdefABCDEF.:-",
				    piece.p[k])) /* Azure writes MACs in upper case */
				out[size++] = piece.p[k];
		assert_true(VEC_PUSH(a, &pieces, ((struct str){out + from, size - from})));
	}
	qsort(pieces.at, pieces.count, sizeof *pieces.at, compare_pieces);
	struct buf shape;
	buf_init(&shape, 16 << 20);
	for (size_t k = 0; k < pieces.count; k++) {
		buf_add_str(&shape, pieces.at[k]);
		buf_add_char(&shape, '\n');
	}
	struct str all = str_copy(a, buf_str(&shape));
	buf_done(&shape);
	return all;
}

/* ---- the last call, interrupted ---- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9u;
	return x ^ (x >> 29);
}

/* Arms the second fault. Allocations are much more frequent than other points. */
static void arm_second(uint64_t n)
{
	static const struct {
		unsigned points;
		uint64_t within;
	} seconds[] = {
		{FAULT_ALLOC, 200}, {FAULT_ALLOC, 20}, {FAULT_SQL, 20}, {FAULT_DRIVER, 8}, {FAULT_FILE, 8}};
	uint64_t x = mix((seed << 32) ^ n);
	size_t which = x % (sizeof seconds / sizeof *seconds);
	fault_arm_next(seconds[which].points, mix(x) % seconds[which].within);
}

static void arm(const struct way *way, uint64_t n)
{
	if (way->at_commit)
		cloud_die_at_commit(t.s.region.cloud, way->has_it);
	else if (!way->by_steps)
		fault_arm(way->points, n, way->forever);
	if (way->twice)
		arm_second(n);
}

static bool is_over(const struct way *way, uint64_t n)
{
	struct cloud *c = t.s.region.cloud;
	return way->kills && ((way->by_steps && steps_taken > n) || (way->at_commit && cloud_is_dying(c)) ||
			      (way->points && fault_has_fired()));
}

static void kill_here(void)
{
	fault_disarm();
	region_kill(&t.s.region);
	region_restart(&t.s.region);
}

static void sign_line(struct str line)
{
	bool is_get = line.p[0] == '?';
	line = str_slice(line, is_get, line.n);
	if (str_find_char(line, '=', 0) > str_find_char(line, '&', 0) || !str_contains(line, STR("=")))
		line = str_print(t.stage.arena, "Action=%" STR_FMT, STR_ARG(line));
	sign(SCRIPT_ALICE, is_get, line);
}

/* Returns true if the interruption happened. *ret_status: of the answer; 0 without one. */
static bool interrupt(const struct way *way, uint64_t n, int *ret_status)
{
	struct cloud *c = t.s.region.cloud;
	struct str line = script_expand(&t.script, t.lines[t.line_count - 1]);
	struct script_request request;
	bool is_request = script_read_request(&t.script, line, &request);
	if (is_request)
		write_request(&request);
	else
		sign_line(line);
	arm(way, n);
	if (is_request)
		fake_call_handle(&t.http, &api_http_face);
	else
		api_http_face.handle(t.http.call.self, &t.http.call);
	for (steps_taken = 0; !is_over(way, n) && !(t.http.is_answered && cloud_is_settled(c, NULL)) &&
			      steps_taken < STEPS_MAX;
	     steps_taken++)
		step_or_resume();
	if (steps_taken == STEPS_MAX)
		die("it never settles", line, STR_NONE);
	bool came = way->by_steps || way->at_commit ? is_over(way, n) : fault_has_fired();
	*ret_status = t.http.is_answered ? t.http.status : 0;
	if (came && way->kills)
		kill_here();
	fault_disarm();
	fake_call_done(&t.http);
	return came;
}

static bool tell_with(const struct way *way, uint64_t n, struct str before, struct str after)
{
	int status = 0;
	way_told = way;
	n_told = n;
	prepare();
	bool came = interrupt(way, n, &status);
	region_restart(&t.s.region);
	settle(NULL);
	struct str now = read_shape();
	bool is_done = str_equal(now, after);
	if (status / 100 == 2 && !is_done)
		die("it was answered, and is not so", after, now);
	if (!is_done && !str_equal(now, before))
		die("it was neither done nor left", before, now);
	if (!is_done) {
		struct world_answer again = send_last();
		settle(NULL);
		if (again.status / 100 != 2)
			die("sent again it is refused", again.body, STR_NONE);
		if (!str_equal(read_shape(), after))
			die("sent again it is not done", after, read_shape());
	}
	finish();
	return came;
}

/* Counts the places where the last call can be interrupted: points of every class, and steps, in a run
 * without faults. */
static void count_places(void)
{
	static const struct way harmless = {.points = FAULT_ALLOC | FAULT_SQL | FAULT_FILE | FAULT_DRIVER};
	int status = 0;
	prepare();
	(void) interrupt(&harmless, UINT64_MAX, &status);
	steps_counted = steps_taken;
	finish();
}

static uint64_t places_of(const struct way *way)
{
	return way->at_commit ? 1 : way->by_steps ? steps_counted : fault_count_reached(way->points);
}

/* The places are dealt into one_in hands, or TWICE_ONE_IN times as many: so many seeds in a row take each place once. */
static bool is_drawn(uint64_t job, size_t way, uint64_t n)
{
	uint64_t hands = ways[way].twice ? one_in * TWICE_ONE_IN : one_in;
	uint64_t hand = mix((job << 40) ^ ((uint64_t) way << 32) ^ n) % hands;
	return hand == seed % hands;
}

/* True if an earlier case covers this action. */
static bool is_told_before(uint64_t job)
{
	for (uint64_t k = 0; k < job && tells_once; k++)
		if (strcmp(told_actions[k], action_told) == 0)
			return true;
	return false;
}

static bool is_change(const char *action)
{
	for (size_t k = 0; k < action_count; k++)
		if (strcmp(actions[k], action) == 0)
			return true;
	return false;
}

/* A failed check in the region calls exit(). While the case runs for the first time, that means that it does not
 * fit this region. */
static void say_where(void)
{
	if (!way_told && !fits_told)
		_exit(EXIT_NOT_TOLD);
	printf("%s: %s number %llu\n", path_told, way_told ? way_told->words : "none",
	       (unsigned long long) n_told);
}

static void run_case(uint64_t job)
{
	uint64_t count = 0;
	(void) atexit(say_where);
	path_told = cases[job].path;
	number_told = cases[job].number;
	way_told = NULL;
	prepare();
	if (t.line_count == 0) /* a read */
		_exit(EXIT_NOT_TOLD);
	struct str before = read_shape();
	char *kept_before = strndup(before.p, before.n);
	if (send_last().status / 100 != 2 || !is_change(action_told) || is_told_before(job))
		_exit(EXIT_NOT_TOLD);
	settle(NULL);
	fits_told = true;
	snprintf(told_actions[job], NAME_MAX_SIZE, "%s", action_told);
	struct str after = read_shape();
	char *kept_after = strndup(after.p, after.n);
	finish();
	uint64_t places[WAYS];
	count_places();
	for (size_t w = 0; w < WAYS; w++)
		places[w] = places_of(&ways[w]);
	for (size_t w = 0; w < WAYS; w++) {
		for (uint64_t n = 0; n < places[w]; n++)
			if (is_drawn(job, w, n))
				count += tell_with(&ways[w], n, str_from(kept_before), str_from(kept_after));
	}
	printf("ok - %s: interrupted at %llu places\n", path_told, (unsigned long long) count);
	(void) fflush(stdout);
}

/* ---- all ---- */

static bool case_ended(uint64_t job, int status)
{
	bool is_told = status == 0;
	if (!is_told &&
	    !(WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_NOT_TOLD || WEXITSTATUS(status) == 2))) {
		printf("not ok - %s%s\n", cases[job].path, WIFSIGNALED(status) ? ", by a signal" : "");
		failures++;
	}
	for (size_t k = 0; is_told && k < action_count; k++)
		is_covered[k] = is_covered[k] || strcmp(actions[k], told_actions[job]) == 0;
	return failures < 5;
}

/* Actions whose golden cases name resources that this region lacks, or depend on a header of an answer. */
static const char *const not_told_here[] = {
	"identity:revoke_token",
	"identity:change_password",
	"volume_extension:volume_actions:attach",
	"volume_extension:volume_actions:detach",
	"volume:attachment_complete",
	"secret:put",       /* its body is no JSON */
	"CancelImportTask", /* its download has already failed */
	"CancelExportTask", /* its file is already there */
	"os_compute_api:os-attach-interfaces:create",
	"os_compute_api:os-deferred-delete:restore", /* always refused, because there is no soft deletion */
	"logout",                                    /* its cookie is in a header */
	"os_compute_api:servers:migrations:delete",  /* the guest has already arrived */
	"os_compute_api:servers:migrations:force_complete",
	"volume_extension:volume_admin_actions:migrate_volume", /* to a pool that does not exist here */
	"os_compute_api:os-evacuate",        /* its hosts are off, and nothing here powers hosts off */
	"get_auto_allocated_topology",       /* a changing GET, which is treated as a read */
	"AcceptTransitGatewayVpcAttachment", /* gateways are not shared, so no attachment waits */
	"RejectTransitGatewayVpcAttachment",
	"delete_agent",                 /* always refused: the agent goes with its host */
	"message:delete",               /* a GET returns the id of the scheduler's message */
	"migrateVirtualMachine",        /* see add_case() */
	"telemetry:change_alarm_state", /* the next evaluation, by the clock, changes the state again */
	"EnableMetricsCollection",      /* see add_case() */
	"DisableMetricsCollection",
	"migrateVolume",            /* to a pool that does not exist here */
	"assignVirtualMachine",     /* to an account of the golden cases */
	"createNetworkPermissions", /* for an account of the golden cases */
	"removeNetworkPermissions",
	"createStaticRoute", /* VPCs have no tiers here */
	"deleteStaticRoute",
	"ChangePassword", /* a caller with a password is a user of the case, whose key here is its account's */
	"EnableMFADevice", /* codes follow from a secret that is drawn */
	"ResyncMFADevice",
	"DeactivateMFADevice",
	"AttachLoadBalancerToSubnets", /* the region has one zone, and a load balancer one subnet in each */
	"DetachLoadBalancerFromSubnets",
	"EnableAvailabilityZonesForLoadBalancer",
	"DisableAvailabilityZonesForLoadBalancer",
	"PutNotificationConfiguration", /* to a topic, which no face here creates */
	"CancelInstanceRefresh",        /* a refresh has ended before the region rests */
	"RollbackInstanceRefresh",
	"DeleteFlowLogs", /* the region has no target for their files, so none is made */
};

static bool has_to_be_told(const char *action)
{
	for (size_t k = 0; k < sizeof not_told_here / sizeof *not_told_here; k++)
		if (strcmp(not_told_here[k], action) == 0)
			return false;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct told_case *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : x->number - y->number;
}

static void add_case(const char *path, int number)
{
	if (strstr(path,
		   "/migrateVirtualMachine/")) /* a guest whose migration fails stays on its host: test_migration.c */
		return;
	if (strstr(path,
		   "MetricsCollection/")) /* a group's datapoints are stored each hour: the region never rests */
		return;
	if (case_count == CASES_MAX)
		fail_msg("more than %d cases", CASES_MAX);
	cases[case_count].number = number;
	snprintf(cases[case_count++].path, sizeof cases[0].path, "%s", path);
}

/* True if the last line is a read of the result, for example of a deleted resource, so that its refusal is
 * expected. */
static bool ends_with_look(struct str lines)
{
	struct str line, last = STR_NONE;
	while (str_split_next(&lines, '\n', &line))
		if (script_is_call(line))
			last = line;
	return !is_change_line(last);
}

/* Most cases of a table are refused changes. A sample skips them, though some would work in this region. */
static void add_table(const char *path)
{
	static char bytes[TABLE_SIZE_MAX];
	FILE *file = fopen(path, "rb");
	struct str rest = {bytes, file ? fread(bytes, 1, sizeof bytes, file) : 0}, name, lines;
	if (rest.n == sizeof bytes)
		fail_msg("%s is too long", path);
	for (int number = 1; script_next_case(&rest, &name, &lines); number++)
		if (one_in == 1 || ends_with_look(lines))
			add_case(path, number);
	if (file)
		(void) fclose(file);
}

static void add_cases(const char *folder)
{
	char path[200];
	size_t first = case_count;
	DIR *directory = opendir(folder);
	for (struct dirent *e; directory && (e = readdir(directory));) {
		snprintf(path, sizeof path, "%s/%.80s", folder, e->d_name);
		if (str_starts_with(str_from(e->d_name), STR("Describe")) ||
		    str_starts_with(str_from(e->d_name), STR("list")))
			continue; /* an action that only reads */
		if (e->d_name[0] != '.' && !strchr(e->d_name, '.'))
			add_cases(path);
		else if (str_ends_with(str_from(path), STR(".cases")))
			add_table(path);
		else if (str_ends_with(str_from(path), STR(".req")))
			add_case(path, 0);
	}
	if (directory)
		(void) closedir(directory);
	qsort(&cases[first], case_count - first, sizeof cases[0], compare_names);
}

static void add_ec2_actions(void)
{
	const struct ec2_action *all[ACTIONS_MAX];
	size_t count = ec2_sum_actions(all, ACTIONS_MAX);
	for (size_t k = 0; k < count; k++)
		if (all[k]->flags & API_WRITES)
			actions[action_count++] = all[k]->name;
}

static void add_openstack_actions(void)
{
#define GROUP(name) &os_##name##_actions,
	static const struct os_actions *const groups[] = {
#include "api/openstack/core/action_groups.def"
	};
#undef GROUP
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			if ((groups[g]->at[k].flags & API_WRITES) && action_count < ACTIONS_MAX)
				actions[action_count++] = groups[g]->at[k].permit;
}

static void add_actions_of(const struct api_groups *groups)
{
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count && action_count < ACTIONS_MAX; k++)
			if (api_action_at(groups->at[g], k)->flags & API_WRITES)
				actions[action_count++] = api_action_at(groups->at[g], k)->name;
}

static void add_actions(struct str folder)
{
	choose_query_face(folder);
	if (query_face)
		add_actions_of(query_face->protocol->groups);
	else if (str_contains(folder, STR("openstack")))
		add_openstack_actions();
	else if (str_contains(folder, STR("cloudstack")))
		add_actions_of(cloudstack_protocol.groups);
	else if (str_contains(folder, STR("azure")))
		return; /* the cases cover only some calls; tests/contract has the others */
	else
		add_ec2_actions();
}

int main(int argc, char **argv)
{
	for (int k = 1; k + 1 < argc; k += 2) {
		if (strcmp(argv[k], "--one-in") == 0)
			one_in = strtoull(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--seed") == 0)
			seed = strtoull(argv[k + 1], NULL, 10);
		else if (strcmp(argv[k], "--once") == 0)
			tells_once = true;
	}
	told_actions = mmap(NULL, sizeof *told_actions * CASES_MAX, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told_actions == MAP_FAILED)
		return 2;
	add_actions(str_from(argv[argc - 1]));
	add_cases(argv[argc - 1]);
	(void) world_bearer_key(); /* created once for all processes, because creating the key takes longer than a case */
	pool_run(case_count, CASE_LIMIT_S, run_case, case_ended);
	bool are_told = failures == 0;
	for (size_t k = 0; k < action_count && are_told; k++)
		if (!is_covered[k] && has_to_be_told(actions[k])) {
			printf("not ok - %s has no golden case that could be told here\n", actions[k]);
			failures++;
		}
	printf("each fault: one place in %llu, seed %llu\n", (unsigned long long) one_in,
	       (unsigned long long) seed);
	printf("%llu passed, %llu failed\n",
	       (unsigned long long) (case_count > failures ? case_count - failures : 0),
	       (unsigned long long) failures);
	return failures != 0;
}
