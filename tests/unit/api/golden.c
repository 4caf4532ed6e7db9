/* SPDX-License-Identifier: Apache-2.0
 * Golden cases: golden [--asked FILE] PATH... runs every case of a folder (or of a file), each in a region of its own, and
 * compares the last answer with what is on record. GOLDEN_ACCEPT=1 rewrites the record.
 *
 * A case NN-name.req has its answer in a file beside it: NN-name.xml or .json whole, NN-name.only where it
 * says @only. Cases that fail stand together in one file of their folder, errors.cases, with their answers:
 *   == name                                    begins a case; its lines follow, as in a .req file
 *   => 400 InvalidVpc.Range: The CIDR …        its answer: status, code (or what the service has in its place;
 *                                              CloudStack's is its cserrorcode), message; the whole answer that follows from them is compared,
 *                                              byte by byte
 *
 * A case is lines, each a call by alice; the last one's answer counts:
 *   Action=CreateVpc&CidrBlock=10.0.0.0/16     a POST; RunInstances&… is short for Action=RunInstances&…
 *   ?Action=…                                  the same as a GET
 *   @bob Action=…     @nobody Action=…         by another account; unsigned
 *   @key Action=…                              by the newest <AccessKeyId>, with its <SessionToken> if it has one
 *   GET /compute/v2.1/servers?name=a           a request to an OpenStack service, with a token of alice's project
 *   POST /network/v2.0/networks {"network":{}} the same with a body; @admin before it: the cloud's
 *                                              administrator; a body "@zeros N" is a disk of so many bytes
 *   GET /client/api?command=listZones          a request to CloudStack's API, signed with alice's key, in JSON unless
 *                                              it says response=xml; POST where the command changes something:
 *   POST /client/api command=createTags&…      the parameters as a form
 *   POST /support/CreateCase {"subject":"a"}   a call of AWS Support's, signed with alice's key
 *   POST /events/PutRule {"Name":"a"}          the same of EventBridge
 *   POST /acm/ListCertificates                 the same of AWS Certificate Manager
 *   POST /dlm/policies {}                      the same of Data Lifecycle Manager, whose paths begin after its name
 *   GET /backup/backup-vaults                  the same of AWS Backup
 *   POST /monitoring/ListMetrics {}            a call of CloudWatch's, in AWS JSON, signed with her key
 *   GET /scim/v2/Users?count=1                 a call of SCIM, with a key of the default domain's administrator
 *   @version compute 2.93                      the microversion of what follows
 *   @settle                                    lets the reconciler finish
 *   @wait SECONDS                              lets time pass
 *   @maintenance ID [reboot] [FROM [LATEST [TO]]]   an operator plans one of the instance's host, or ends it;
 *                                              times are seconds from now on
 *   @host NAME                                 an operator adds a host in the first zone
 *   @off NAME                                  a host is off, and an operator has seen it
 *   @mask name…                                elements whose text is not compared
 *   @only name… a.b…                           only these members and what is in them is on record, a line
 *                                              "path = value" each; each name has to be met
 *   # …                                        a remark
 * With --asked the questions that the guards asked in all cases are compared with permissions.def afterwards
 * (tests/unit/api/golden_asked.h).
 * $(name) stands for the text of the newest earlier element <name> or JSON member "name" (also "a.b":
 * within an object, or the first of a list), $(name/64) for that with another length of its block, $(name/)
 * for what stands before the length; $(image) for the image's id, $(image_uuid) for that of OpenStack.
 * A line's value may hold %XX. Whole answers are stored one element or member a line, the status first, and
 * before a JSON body the headers that the face has set. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "golden_answer.h"
#include "golden_asked.h"
#include "golden_errors.h"
#include "model/id.h"

enum { NAMES_MAX = 512, FILE_SIZE_MAX = 8 << 20 };

struct golden_case {
	struct arena *arena;    /* of its file */
	const char *path;       /* of its file */
	struct str name, lines; /* name: in a table */
	struct str answer_line; /* in a table: as it stands there, then as it has to */
};

struct golden {
	struct world w;
	struct script script;
};

static int failures, passes;

/* ---- callers ---- */

/* The access key in the newest answer that contains one. */
static struct world_user find_key(const struct golden *g)
{
	for (size_t k = g->script.count; k > 0; k--) {
		struct str body = g->script.history[k - 1].body;
		struct str secret = world_find(g->w.arena, body, STR("SecretAccessKey"));
		if (secret.n)
			return (struct world_user){.key_id = world_find(g->w.arena, body, STR("AccessKeyId")),
						   .secret = secret,
						   .token =
							   world_find(g->w.arena, body, STR("SessionToken"))};
	}
	return (struct world_user){0};
}

static struct world_answer call(void *self, enum script_user user, bool is_get, struct str parameters)
{
	struct golden *g = self;
	struct world *w = &g->w;
	const struct world_user key = find_key(g);
	const struct world_user *users[] = {&w->alice, &w->bob, 0, &w->admin, &key};
	return is_get ? world_get(w, users[user], parameters) : world_post(w, users[user], parameters);
}

static struct world_answer request(void *self, const struct script_request *r)
{
	struct world *w = self;
	const struct world_user *users[] = {&w->alice, &w->bob, 0, &w->admin, &w->alice};
	return world_request(w, users[r->user], r);
}

static void settle(void *self)
{
	world_settle(self, 10 * MINUTE);
}

static void let_pass(void *self, int64_t us)
{
	struct world *w = self;
	int64_t until = clock_now_us() + us;
	while (executor_step(w->executor, until))
		;
	clock_set_us(until);
}

static void operate(void *self, op_run run, void *wish)
{
	struct world *w = self;
	if (!result_is_ok(world_do(w, &w->operator, run, wish))) {
		fprintf(stderr, "golden: the operator cannot: %.*s\n", STR_ARG(w->c.problem.message));
		exit(2);
	}
}

static struct str read_whole(struct arena *a, const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return STR_NONE;
	static char bytes[4 << 20];
	size_t n = fread(bytes, 1, sizeof bytes, file);
	(void) fclose(file);
	return str_copy(a, (struct str){bytes, n});
}

static void write_whole(const char *path, struct str text)
{
	FILE *file = fopen(path, "wb");
	if (!file || fwrite(text.p, 1, text.n, file) != text.n || fclose(file) != 0) {
		perror(path);
		exit(2);
	}
}

static void show_difference(struct str wanted, struct str got)
{
	struct str a, b;
	for (int line = 1;; line++) {
		bool more_a = str_split_next(&wanted, '\n', &a), more_b = str_split_next(&got, '\n', &b);
		if (!more_a && !more_b)
			return;
		if (more_a && more_b && str_equal(a, b))
			continue;
		printf("  line %d\n  - %.*s\n  + %.*s\n", line, STR_ARG(more_a ? a : STR_NONE),
		       STR_ARG(more_b ? b : STR_NONE));
		return;
	}
}

/* ---- costs of calls ---- */

struct best {
	size_t count;
	struct {
		const char *action;
		int64_t longest_ns;
	} calls[SCRIPT_HISTORY_MAX];
};

/* Keeps of each call of the case the best. True: one was long even so. */
static bool keep_best(const struct script *s, struct best *best)
{
	bool is_long = false;
	for (size_t k = 0; k < s->count; k++) {
		const struct world_answer *answer = &s->history[k];
		if (k >= best->count || answer->longest_ns < best->calls[k].longest_ns) {
			best->calls[k].longest_ns = answer->longest_ns;
			best->calls[k].action = answer->action ? answer->action : "-";
		}
		is_long = is_long || best->calls[k].longest_ns > COST_LONG_NS;
	}
	best->count = s->count;
	return is_long;
}

static void show_costs(const struct golden_case *one, const struct best *best)
{
	for (size_t k = 0; k < best->count; k++)
		printf("cost %s %lld %s%s%" STR_FMT " %zu\n", best->calls[k].action,
		       (long long) best->calls[k].longest_ns / 1000, one->path, one->name.n ? "#" : "",
		       STR_ARG(one->name), k + 1);
}

/* ---- one case ---- */

static void fail(const struct golden_case *one, const char *why, struct str what)
{
	printf("FAILED %s %" STR_FMT "\n", one->path, STR_ARG(one->name));
	if (why)
		printf("  %s %" STR_FMT "\n", why, STR_ARG(what));
	failures++;
}

/* Path of the expected answer for the request file NN-name.req. */
static struct str path_of_answer(struct golden *g, const char *path, const struct world_answer *answer)
{
	const char *form = g->script.only.n ? "only" : answer->is_json ? "json" : "xml";
	return str_print(g->w.arena, "%.*s%s", (int) strlen(path) - 3, path, form);
}

static void check_file(struct golden *g, const struct golden_case *one, const struct world_answer *answer)
{
	struct str path = path_of_answer(g, one->path, answer), absent = STR_NONE;
	struct str wanted = read_whole(g->w.arena, path.p);
	struct str got = g->script.only.n ? golden_show_only(g->w.arena, &g->script, answer, &absent)
					  : golden_show_whole(g->w.arena, &g->script, answer);
	if (absent.n) {
		fail(one, "@only: no member of the answer is called", absent);
	} else if (str_equal(got, wanted)) {
		passes++;
	} else if (getenv("GOLDEN_ACCEPT")) {
		printf("accepted %s\n", path.p);
		write_whole(path.p, got);
	} else {
		fail(one, NULL, STR_NONE);
		show_difference(wanted, got);
	}
}

static void check_line(struct golden *g, struct golden_case *one, const struct world_answer *answer)
{
	struct arena *a = g->w.arena;
	struct golden_error error;
	struct world_answer wanted = {0};
	bool is_read = golden_error_read(a, one->answer_line, &error) &&
		       golden_error_render(a, &g->script, &error, &wanted);
	if (is_read && wanted.status == answer->status && str_equal(wanted.headers, answer->headers) &&
	    str_equal(wanted.body, answer->body)) {
		passes++;
		return;
	}
	if (getenv("GOLDEN_ACCEPT") && golden_error_take(a, &g->script, answer, &error)) {
		printf("accepted %s %" STR_FMT "\n", one->path, STR_ARG(one->name));
		one->answer_line = golden_error_write(one->arena, &error);
		return;
	}
	fail(one, is_read ? NULL : "no answer is on record", STR_NONE);
	show_difference(golden_show_whole(a, &g->script, &wanted), golden_show_whole(a, &g->script, answer));
}

/* Tells the case to g's region, which is as new, and looks at its answer. */
static void tell(struct golden *g, struct golden_case *one)
{
	struct str rest = one->lines, line;
	const struct script_stage stage = {.self = &g->w,
					   .arena = g->w.arena,
					   .image = id_to_ec2(g->w.arena, KIND_IMAGE, g->w.image),
					   .image_uuid = uuid_to_str(g->w.arena, g->w.image),
					   .call = call,
					   .request = request,
					   .settle = settle,
					   .wait = let_pass,
					   .operate = operate};
	g->script.stage = &stage;
	while (str_split_next(&rest, '\n', &line))
		script_run(&g->script, line);
	if (!g->script.count) {
		fprintf(stderr, "golden: %s %" STR_FMT " has no call\n", one->path, STR_ARG(one->name));
		exit(2);
	}
	const struct world_answer *answer = &g->script.history[g->script.count - 1];
	if (one->name.n)
		check_line(g, one, answer);
	else
		check_file(g, one, answer);
}

static void run_once(struct golden_case *one, struct best *best, bool *ret_is_long)
{
	static struct golden g;
	g = (struct golden){0};
	world_make(&g.w);
	tell(&g, one);
	*ret_is_long = keep_best(&g.script, best);
	world_done(&g.w);
}

/* ---- many cases of one region ---- */

/* To make a region is most of what a case costs, and each is the same: one is made, and every case told to a
 * copy of it, in a process of its own. Not where that would be missed: sanitizers look for what a process
 * leaves at its end, costs are those of memory in use, and what is accepted is written at the end. */
static bool shares_region(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	return false;
#else
	return !getenv("GOLDEN_ACCEPT") && !getenv("GOLDEN_COSTS");
#endif
}

static struct golden shared;

/* Images that a case has left: the next one draws the same names. */
static void empty_folder(const char *path)
{
	DIR *folder = opendir(path);
	for (struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder))
		(void) unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		(void) closedir(folder);
}

/* Writes the counts of a build for `make coverage`, which alone has this function: _exit() writes none. */
void __gcov_dump(void) __attribute__((weak));

static void run_in_copy(struct golden_case *one)
{
	int status = 0;
	if (!shared.w.arena)
		world_make(&shared.w);
	(void) fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		failures = 0;
		tell(&shared, one);
		(void) fflush(NULL);
		if (__gcov_dump)
			__gcov_dump();
		_exit(failures != 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("golden");
		exit(2);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		exit(2); /* the reason was printed before */
	if (!WIFEXITED(status))
		fail(one, "it was ended by a signal", STR_NONE);
	else if (WEXITSTATUS(status))
		failures++;
	else
		passes++;
	empty_folder(shared.w.images);
}

/* With GOLDEN_COSTS: again, as long as a call takes a thread long, three times at least and so often at most.
 */
static void run_case(struct golden_case *one)
{
	const char *times = getenv("GOLDEN_COSTS");
	int64_t most = 1;
	struct best best = {0};
	bool is_long = false;
	if (shares_region()) {
		run_in_copy(one);
		return;
	}
	if (times)
		IGNORE(str_parse_int(str_from(times), &most));
	for (int64_t k = 0; k < most && (k == 0 || is_long); k++)
		run_once(one, &best, &is_long);
	if (times)
		show_costs(one, &best);
}

/* ---- files ---- */

/* A copy of the table with the answers as they are now. */
static void add_case(struct buf *b, const struct golden_case *one)
{
	struct str rest = one->lines, line;
	buf_print(b, "== %" STR_FMT "\n", STR_ARG(one->name));
	while (str_split_next(&rest, '\n', &line))
		if (line.n && !str_starts_with(line, STR("=> ")))
			buf_print(b, "%" STR_FMT "\n", STR_ARG(line));
	buf_print(b, "%" STR_FMT "\n", STR_ARG(one->answer_line));
}

static struct str find_answer_line(struct str lines)
{
	struct str line;
	while (str_split_next(&lines, '\n', &line))
		if (str_starts_with(line, STR("=> ")))
			return line;
	return STR_NONE;
}

static void run_table(struct golden_case one, struct str text)
{
	struct buf again;
	struct str rest = text;
	buf_init(&again, FILE_SIZE_MAX);
	while (script_next_case(&rest, &one.name, &one.lines)) {
		one.answer_line = find_answer_line(one.lines);
		run_case(&one);
		add_case(&again, &one);
	}
	if (getenv("GOLDEN_ACCEPT") && !str_equal(buf_str(&again), text))
		write_whole(one.path, buf_str(&again));
	buf_done(&again);
}

static void run_file(const char *path)
{
	struct golden_case one = {.arena = arena_new(FILE_SIZE_MAX / 8, FILE_SIZE_MAX), .path = path};
	struct str text = read_whole(one.arena, path);
	if (str_ends_with(str_from(path), STR(".cases"))) {
		run_table(one, text);
	} else {
		one.lines = text;
		run_case(&one);
	}
	arena_free(one.arena);
}

static bool is_case_file(struct str path)
{
	return str_ends_with(path, STR(".req")) || str_ends_with(path, STR(".cases"));
}

/* An answer that no case gives any more proves nothing. */
static void check_has_case(const char *path)
{
	size_t dot = (size_t) (strrchr(path, '.') - path);
	char *request_path = NULL;
	if (asprintf(&request_path, "%.*s.req", (int) dot, path) < 0)
		abort();
	if (access(request_path, R_OK) != 0)
		fail(&(struct golden_case){.path = path}, "an answer without a case", STR_NONE);
	free(request_path);
}

/* ---- folders ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void run_folder(const char *path)
{
	static char *names[NAMES_MAX];
	size_t count = 0;
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		exit(2);
	}
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		if (entry->d_name[0] == '.' || count == NAMES_MAX)
			continue;
		if (asprintf(&names[count], "%s/%s", path, entry->d_name) < 0)
			abort();
		count++;
	}
	(void) closedir(folder);
	qsort(names, count, sizeof names[0], compare_texts);
	char *mine[NAMES_MAX];
	memcpy(mine, names, count * sizeof names[0]);
	for (size_t k = 0; k < count; k++) {
		if (is_case_file(str_from(mine[k])))
			run_file(mine[k]);
		else if (str_contains(str_from(strrchr(mine[k], '/')), STR(".")))
			check_has_case(mine[k]);
		else
			run_folder(mine[k]);
		free(mine[k]);
	}
}

int main(int argc, char **argv)
{
	bool is_heard = argc > 2 && strcmp(argv[1], "--asked") == 0;
	if (is_heard)
		asked_begin();
	for (int k = is_heard ? 3 : 1; k < argc; k++)
		if (is_case_file(str_from(argv[k])))
			run_file(argv[k]);
		else
			run_folder(argv[k]);
	if (shared.w.arena)
		world_done(&shared.w);
	if (is_heard)
		asked_compare(argv[2], &passes, &failures);
	printf("%d passed, %d failed\n", passes, failures);
	return failures != 0;
}
