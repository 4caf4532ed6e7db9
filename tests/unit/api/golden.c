/* SPDX-License-Identifier: Apache-2.0
 * Golden cases: golden DIRECTORY... runs every case of an action's folder, each in a region of its
 * own, and compares the last answer with the file beside it. GOLDEN_ACCEPT=1 rewrites those.
 *
 * A case NN-name.req is lines, each a call by alice; the last one's answer counts:
 *   Action=CreateVpc&CidrBlock=10.0.0.0/16     a POST; RunInstances&… is short for Action=RunInstances&…
 *   ?Action=…                                  the same as a GET
 *   @bob Action=…     @nobody Action=…         by another account; unsigned
 *   @key Action=…                              by the newest <AccessKeyId>, with its <SessionToken> if it has
 * one GET /compute/v2.1/servers?name=a           a request to an OpenStack service, with a token of alice's
 * project POST /network/v2.0/networks {"network":{}} the same with a body; @admin before it: the cloud's
 * administrator; a body "@zeros N" is a disk of so many bytes
 *   @version compute 2.93                      the microversion of what follows
 *   @settle                                    lets the reconciler finish
 *   @wait SECONDS                              lets time pass
 *   @maintenance ID [reboot] [FROM [LATEST [TO]]]   an operator plans one of the instance's host, or ends it;
 *                                              times are seconds from now on
 *   @mask name…                                elements whose text is not compared
 *   # …                                        a remark
 * $(name) stands for the text of the newest earlier element <name> or JSON member "name" (also "a.b":
 * within an object, or the first of a list), $(name/64) for that with another length of its block, $(name/)
 * for what stands before the length; $(image) for the image's id, $(image_uuid) for that of OpenStack.
 * A line's value may hold %XX. Answers are stored one element or member a line, the status first, and before
 * a JSON body the headers that the face has set. */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/id.h"
#include "script.h"

enum { NAMES_MAX = 512 };

struct golden {
	struct world w;
	struct script script;
};

static int failures, passes;

/* ---- text ---- */

static bool is_masked(const struct golden *g, struct str element)
{
	struct str rest = g->script.masks, name;
	while (str_split_next(&rest, ' ', &name))
		if (name.n && element.n > name.n + 1 && memcmp(element.p + 1, name.p, name.n) == 0 &&
		    element.p[name.n + 1] == '>')
			return true;
	return false;
}

static void blank_masked(const struct golden *g, json_t *value)
{
	const char *key;
	json_t *member;
	size_t k;
	json_array_foreach (value, k, member)
		blank_masked(g, member);
	json_object_foreach (value, key, member) {
		struct str element = str_print(g->w.arena, "<%s>", key);
		if (is_masked(g, element))
			(void) json_object_set_new(value, key, json_string("*"));
		else
			blank_masked(g, member);
	}
}

/* The status, the headers, and the body with its members as they came, one a line. */
static struct str present_json(struct golden *g, const struct world_answer *answer)
{
	json_t *value = answer->body.n ? json_loadb(answer->body.p, answer->body.n, 0, NULL) : NULL;
	blank_masked(g, value);
	char *text = value ? json_dumps(value, JSON_INDENT(1)) : NULL;
	struct str shown = text ? str_from(text) : answer->body;
	struct str whole = str_print(g->w.arena, "%d\n%" STR_FMT "%" STR_FMT "%s", answer->status,
				     STR_ARG(answer->headers), STR_ARG(shown), shown.n ? "\n" : "");
	free(text);
	json_decref(value);
	return whole;
}

/* The status, then the body with a line break between one element and the next. */
static struct str present_xml(struct golden *g, const struct world_answer *answer)
{
	struct buf b;
	buf_init(&b, 16 << 20);
	buf_print(&b, "%d\n", answer->status);
	struct str body = answer->body;
	for (size_t k = 0; k < body.n; k++) {
		buf_add_char(&b, body.p[k]);
		if (body.p[k] != '>' || k + 1 == body.n)
			continue;
		size_t from = k;
		while (from > 0 && body.p[from] != '<')
			from--;
		if (is_masked(g, str_slice(body, from, k + 1))) {
			buf_add_str(&b, STR("*"));
			k = str_find_char(body, '<', k) - 1;
		} else if (body.p[k + 1] == '<' &&
			   !(body.p[from + 1] != '/' && body.p[k + 2] == '/' && body.p[k - 1] != '/')) {
			buf_add_char(&b, '\n');
		}
	}
	buf_add_char(&b, '\n');
	struct str text = str_copy(g->w.arena, buf_str(&b));
	buf_done(&b);
	return text;
}

static struct str present(struct golden *g, const struct world_answer *answer)
{
	return answer->is_openstack ? present_json(g, answer) : present_xml(g, answer);
}

/* ---- whom it calls as ---- */

/* Those of the newest answer that has one. */
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

/* ---- what calls cost ---- */

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

static void show_costs(const char *path, const struct best *best)
{
	for (size_t k = 0; k < best->count; k++)
		printf("cost %s %lld %s %zu\n", best->calls[k].action,
		       (long long) best->calls[k].longest_ns / 1000, path, k + 1);
}

/* ---- one case ---- */

static void run_case(const char *request_path, struct best *best, bool *ret_is_long)
{
	static struct golden g;
	g = (struct golden){0};
	world_make(&g.w);
	struct str rest = read_whole(g.w.arena, request_path), line;
	const struct script_stage stage = {.self = &g.w,
					   .arena = g.w.arena,
					   .image = id_to_ec2(g.w.arena, KIND_IMAGE, g.w.image),
					   .image_uuid = uuid_to_str(g.w.arena, g.w.image),
					   .call = call,
					   .request = request,
					   .settle = settle,
					   .wait = let_pass,
					   .operate = operate};
	g.script.stage = &stage;
	while (str_split_next(&rest, '\n', &line))
		script_run(&g.script, line);
	if (!g.script.count) {
		fprintf(stderr, "golden: %s has no call\n", request_path);
		exit(2);
	}
	struct str path = str_from(request_path);
	const struct world_answer *answer = &g.script.history[g.script.count - 1];
	struct str answer_path =
		str_print(g.w.arena, "%" STR_FMT ".%s", STR_ARG(str_slice(path, 0, path.n - 4)),
			  answer->is_openstack ? "json" : "xml");
	struct str got = present(&g, answer);
	struct str wanted = read_whole(g.w.arena, answer_path.p);
	bool accepts = getenv("GOLDEN_ACCEPT") != 0;
	if (str_equal(got, wanted)) {
		passes++;
	} else if (accepts) {
		printf("accepted %s\n", answer_path.p);
		write_whole(answer_path.p, got);
	} else {
		printf("FAILED %s\n", request_path);
		show_difference(wanted, got);
		failures++;
	}
	*ret_is_long = keep_best(&g.script, best);
	world_done(&g.w);
}

/* With GOLDEN_COSTS: again, as long as a call takes a thread long, three times at least and so often at most.
 */
static void run_cases(const char *path)
{
	const char *times = getenv("GOLDEN_COSTS");
	int64_t most = 1;
	struct best best = {0};
	bool is_long = false;
	if (times)
		IGNORE(str_parse_int(str_from(times), &most));
	for (int64_t k = 0; k < most && (k == 0 || is_long); k++)
		run_case(path, &best, &is_long);
	if (times)
		show_costs(path, &best);
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
		if (str_ends_with(str_from(mine[k]), STR(".req")))
			run_cases(mine[k]);
		else if (!str_contains(str_from(strrchr(mine[k], '/')), STR(".")))
			run_folder(mine[k]);
		free(mine[k]);
	}
}

int main(int argc, char **argv)
{
	for (int k = 1; k < argc; k++)
		if (str_ends_with(str_from(argv[k]), STR(".req")))
			run_cases(argv[k]);
		else
			run_folder(argv[k]);
	printf("%d passed, %d failed\n", passes, failures);
	return failures != 0;
}
