/* SPDX-License-Identifier: Apache-2.0
 * Access rules: rows and matching. */
#include "engine/people/policy/access_rule.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/user_owned.h"
#include "store/access_rule.h"
#include "store/application_credential.h"
#include "store/user.h"

/* ---- matching ---- */

enum { PATH_MAX_MATCHED = 1023 }; /* a longer path matches no pattern */

enum piece { PIECE_LITERAL, PIECE_SEGMENT, PIECE_ANY };

/* Returns the next piece of a pattern and its length. */
static enum piece next_piece(struct str pattern, size_t *ret_size)
{
	bool is_double = pattern.n > 1 && pattern.p[0] == '*' && pattern.p[1] == '*';
	size_t end = pattern.p[0] == '{' ? str_find_char(pattern, '}', 0) : pattern.n;
	*ret_size = end < pattern.n ? end + 1 : is_double ? 2 : 1;
	return end < pattern.n       ? PIECE_SEGMENT
	       : is_double           ? PIECE_ANY
	       : pattern.p[0] == '*' ? PIECE_SEGMENT
				     : PIECE_LITERAL;
}

/* from[k]: the pattern so far matches the first k characters of the path. to: the same with one more
 * piece. */
static void match_piece(enum piece piece, char literal, struct str path, const bool *from, bool *to)
{
	bool is_within = false; /* inside the wildcard */
	for (size_t k = 0; k <= path.n; k++) {
		char before = k ? path.p[k - 1] : '/';
		if (piece == PIECE_LITERAL) {
			to[k] = k && from[k - 1] && before == literal;
			continue;
		}
		if (piece == PIECE_ANY) {
			is_within = is_within || from[k];
		} else {
			is_within = k && before != '/' && (is_within || from[k - 1]);
		}
		to[k] = is_within;
	}
}

bool engine_path_fits(struct str pattern, struct str path)
{
	bool a[PATH_MAX_MATCHED + 1] = {true}, b[PATH_MAX_MATCHED + 1];
	bool *from = a, *to = b;
	size_t size = 0;
	if (path.n > PATH_MAX_MATCHED)
		return false;
	for (; pattern.n; pattern = str_slice(pattern, size, pattern.n)) {
		enum piece piece = next_piece(pattern, &size);
		match_piece(piece, pattern.p[0], path, from, to);
		bool *other = from;
		from = to;
		to = other;
	}
	return from[path.n];
}

static bool is_one_of(struct str type, const char *types)
{
	struct str rest = str_from(types), one;
	while (str_split_next(&rest, '|', &one))
		if (str_equal(one, type))
			return true;
	return false;
}

bool engine_rules_allow(const struct tables *t, const struct application_credential *credential,
			const char *types, struct str method, struct str path)
{
	for (size_t n = 0; n < credential->access_rules.count; n++) {
		const struct access_rule *rule = access_rule_find(t, credential->access_rules.at[n]);
		if (rule && str_equal(rule->method, method) && is_one_of(rule->service, types) &&
		    engine_path_fits(rule->path, path))
			return true;
	}
	return credential->access_rules.count == 0;
}

/* ---- rows ---- */

static RESULT take_one(struct op *op, uuid user, const struct access_rule_words *words, uuid *ret_rule)
{
	const struct access_rule *rule = ref_is_given(&words->id)
						 ? access_rule_find(op->head, words->id.prefix)
						 : access_rule_find_by_user(op->head, user, words->service,
									    words->path, words->method);
	if (ref_is_given(&words->id) && (!rule || !uuid_equal(rule->user, user)))
		return engine_fail_not_found(op->ctx, KIND_ACCESS_RULE, &words->id);
	if (rule) {
		*ret_rule = rule->row.id;
		return OK;
	}
	TRY(limit_check(op, LIMIT_ACCESS_RULES, user, 1, STR_NONE));
	struct access_rule new = {.row.id = engine_new_id(op, KIND_ACCESS_RULE),
				  .row.gen = 1,
				  .user = user,
				  .service = words->service,
				  .path = words->path,
				  .method = words->method};
	*ret_rule = new.row.id;
	return access_rule_put(op, &new);
}

RESULT access_rules_take(struct op *op, uuid user, const struct access_rule_words *words, size_t count,
			 struct uuids *ret_rules)
{
	uuid *list = arena_new_array(op->ctx->arena, uuid, count);
	size_t taken = 0;
	if (!list)
		return ctx_no_memory(op->ctx);
	if (count > CREDENTIAL_RULES_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCESS_RULE, "At most %d access rules.",
				     CREDENTIAL_RULES_MAX);
	for (size_t n = 0; n < count; n++) {
		uuid rule;
		TRY(take_one(op, user, &words[n], &rule));
		if (!uuids_have(&(struct uuids){list, taken}, rule))
			list[taken++] = rule;
	}
	*ret_rules = (struct uuids){list, taken};
	return OK;
}

RESULT engine_delete_access_rule(struct op *op, struct access_rule_target *wish)
{
	const struct access_rule *rule = access_rule_find(op->head, wish->rule);
	const struct user *user = rule ? user_find(op->head, rule->user) : NULL;
	if (!user)
		return engine_fail_gone(op->ctx, KIND_ACCESS_RULE, wish->rule);
	TRY(engine_permit_own(op, "access_rule.delete", user, UUID_NONE));
	const struct application_credential *c = application_credential_first_by_user(op->head, user->row.id);
	for (; c; c = application_credential_next_by_user(op->head, c))
		if (uuids_have(&c->access_rules, rule->row.id))
			return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_ACCESS_RULE,
					     "May not delete access rule in use");
	return access_rule_forget(op, rule->row.id);
}
