/* SPDX-License-Identifier: Apache-2.0
 * Queues: create, find, list, attributes, purge, delete, tags. Source: Amazon SQS API Reference. */
#include "api/core/params.h"
#include "api/sqs/internal.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/account.h"

enum { QUEUES_OF_A_PAGE = 1000, TAGS_MAX = 50, TAGS_READ_MAX = 200, ATTRIBUTES_MAX = 20 };

/* ---- queues by URL ---- */

struct str sqs_owner_number(struct sqs_call *e, const struct queue *queue)
{
	if (uuid_equal(queue->account, e->c->who->account))
		return e->c->who->account_number;
	const struct account *account = account_find(sqs_tables(e), queue->account);
	return account ? account->number : STR_NONE;
}

static struct str url_of(struct sqs_call *e, const struct queue *queue)
{
	return str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT "/%" STR_FMT, STR_ARG(api_base_url(&e->core)),
			 STR_ARG(sqs_owner_number(e, queue)), STR_ARG(queue->name));
}

/* Account and name of a URL: "http://127.0.0.1:8788/111122223333/jobs" ends with them. A name alone is the account's own
 * queue. */
static const struct queue *find_by_url(struct sqs_call *e, struct str url, struct str *ret_name)
{
	struct str name = STR_NONE, number = STR_NONE, part, rest = url;
	while (str_split_next(&rest, '/', &part)) {
		number = name;
		name = part;
	}
	bool is_own = str_find_char(url, '/', 0) == url.n || str_equal(number, e->c->who->account_number);
	const struct account *other = is_own ? NULL : account_find_by_number(sqs_tables(e), number);
	uuid owner = is_own ? e->c->who->account : other ? other->row.id : UUID_NONE;
	const struct queue *queue =
		name.n && !uuid_is_none(owner) ? queue_find_by_account(sqs_tables(e), owner, name) : NULL;
	*ret_name = name;
	return queue && !engine_is_queue_deleted(queue) ? queue : NULL;
}

RESULT sqs_find_queue(struct sqs_call *e, struct str url, struct ref *ret_ref)
{
	const struct queue *queue = NULL;
	TRY(sqs_find_queue_row(e, url, &queue));
	*ret_ref = ref_by_id(KIND_QUEUE, queue->row.id);
	ret_ref->text = queue->name;
	ret_ref->field = STR("QueueUrl");
	return OK;
}

RESULT sqs_find_queue_row(struct sqs_call *e, struct str url, const struct queue **ret_queue)
{
	struct str name = STR_NONE;
	if (!url.n && e->call->path.n < 2)
		return ctx_fail_field(e->c, ERR_MISSING, STR("QueueUrl"),
				      "The request must contain the parameter QueueUrl.");
	const struct queue *queue = find_by_url(e, url.n ? url : e->call->path, &name);
	struct ref ref = queue ? ref_by_id(KIND_QUEUE, queue->row.id) : (struct ref){.kind = KIND_QUEUE};
	ref.text = name;
	ref.field = STR("QueueUrl");
	if (!queue)
		return engine_fail_not_found(e->c, KIND_QUEUE, &ref);
	if (!engine_is_foreign(e->c, KIND_QUEUE, &queue->row))
		return engine_find_own_queue(e->c, sqs_tables(e), &ref, ret_queue);
	TRY(engine_check_shared(e->c, sqs_tables(e), &ref, &queue->row));
	*ret_queue = queue;
	return OK;
}

/* ---- create ---- */

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .max = TAG_VALUE_MAX, .doc = "Tag value."),
};
static const struct params tag_table = PARAMS(struct tag, tag_rows);

struct create_args {
	struct queue_wish wish;
	struct str name;
	struct sqs_pairs attributes;
	struct tag_list {
		struct tag *at;
		size_t count;
	} tags;
};
static const struct param create_params[] = {
	PARAM(struct create_args, "QueueName", name, .flags = REQUIRED | MAY_BE_EMPTY, .max = 1024,
	      .doc = "Name: 1 to 80 letters, digits, '-' and '_'. That of a FIFO queue ends with .fifo."),
	PARAM_LIST(struct create_args, "Attribute", attributes, sqs_pair_params, .max = ATTRIBUTES_MAX,
		   .doc = "Attributes."),
	PARAM_LIST(struct create_args, "Tag", tags, tag_table, .max = TAGS_READ_MAX, .doc = "Tags."),
};

static RESULT check_tags(struct sqs_call *e, struct str queue, size_t count)
{
	return count <= TAGS_MAX ? OK
				 : ctx_fail_field(e->c, ERR_INVALID, STR("Tag"),
						  "Too many tags added for queue %" STR_FMT ".",
						  STR_ARG(str_cut(queue, QUEUE_NAME_MAX)));
}

static bool is_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && name.p[k] != '-' && name.p[k] != '_')
			return false;
	return name.n > 0;
}

static RESULT prepare_create(struct sqs_call *e, void *args)
{
	struct create_args *a = args;
	struct str stem = a->name;
	bool has_suffix = str_ends_with(stem, STR(".fifo"));
	a->wish.row.name = a->name;
	TRY(sqs_read_attributes(e, &a->attributes, true, &a->wish));
	if (has_suffix && a->wish.row.is_fifo)
		stem.n -= STR(".fifo").n;
	if (!is_name(stem) || a->name.n > QUEUE_NAME_MAX || (a->wish.row.is_fifo && !has_suffix))
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("QueueName"),
			a->wish.row.is_fifo && !has_suffix
				? "The name of a FIFO queue can only include alphanumeric characters, "
				  "hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in "
				  "length."
				: "Can only include alphanumeric characters, hyphens, or underscores. 1 "
				  "to 80 in length");
	a->wish.row.tags = (struct tags){a->tags.at, a->tags.count};
	return check_tags(e, a->name, a->tags.count);
}

static RESULT answer_create(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(sqs_find_returned(e, a->wish.made, &row));
	forms_text(w, "QueueUrl", url_of(e, queue_of(row)));
	return OK;
}

struct get_args {
	struct str name, owner;
};
static const struct param get_params[] = {
	PARAM(struct get_args, "QueueName", name, .flags = REQUIRED, .min = 1, .max = 1024, .doc = "Name."),
	PARAM(struct get_args, "QueueOwnerAWSAccountId", owner, .min = 1, .max = 12,
	      .doc = "Account of the queue; absent: the caller's."),
};

static RESULT answer_get(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct get_args *a = args;
	const struct queue *queue = NULL;
	TRY(sqs_find_queue_row(e,
			       str_print(e->c->arena, "/%" STR_FMT "/%" STR_FMT,
					 STR_ARG(a->owner.n ? a->owner : e->c->who->account_number),
					 STR_ARG(a->name)),
			       &queue));
	forms_text(w, "QueueUrl", url_of(e, queue));
	return OK;
}

/* ---- list ---- */

struct list_args {
	struct str prefix;
	struct query_pages pages;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "QueueNamePrefix", prefix, .max = 1024, .doc = "Prefix of the queue names."),
	PARAM(struct list_args, "MaxResults", pages.size, .min = 1, .max = QUEUES_OF_A_PAGE,
	      .doc = "Maximum number of results in one page."),
	PARAM(struct list_args, "NextToken", pages.token, .min = 1, .max = 2048,
	      .doc = "Token of the next page, from the previous answer."),
};

static RESULT answer_list(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct list_args *a = args;
	struct query_page page;
	bool is_open = false;
	TRY(query_open_page(e->c, &a->pages, QUEUES_OF_A_PAGE, "NextToken", &page));
	for (const struct queue *q = queue_first_by_account(sqs_tables(e), e->c->who->account);
	     q && !page.is_cut; q = queue_next_by_account(sqs_tables(e), q)) {
		if (engine_is_queue_deleted(q) || !str_starts_with(q->name, a->prefix) ||
		    !query_page_takes(&page, q->name))
			continue;
		if (!is_open)
			forms_open_flat_list(w, "QueueUrls", "QueueUrl");
		is_open = true;
		forms_text(w, NULL, url_of(e, q));
	}
	if (is_open)
		forms_close(w);
	if (page.is_cut && a->pages.size)
		forms_text(w, "NextToken", str_encode_base64url(e->c->arena, page.last));
	return OK;
}

/* ---- by URL ---- */

struct queue_args {
	struct queue_target wish;
	struct str url;
};
static const struct param queue_params[] = {SQS_QUEUE(struct queue_args, url)};

static RESULT prepare_queue(struct sqs_call *e, void *args)
{
	struct queue_args *a = args;
	return sqs_find_queue(e, a->url, &a->wish.queue);
}

struct set_args {
	struct queue_wish wish;
	struct str url;
	struct sqs_pairs attributes;
};
static const struct param set_params[] = {
	SQS_QUEUE(struct set_args, url),
	PARAM_LIST(struct set_args, "Attribute", attributes, sqs_pair_params, .flags = REQUIRED,
		   .max = ATTRIBUTES_MAX, .doc = "Attributes."),
};

static RESULT prepare_set(struct sqs_call *e, void *args)
{
	struct set_args *a = args;
	TRY(sqs_find_queue(e, a->url, &a->wish.queue));
	a->wish.row.name = a->wish.queue.text;
	return sqs_read_attributes(e, &a->attributes, false, &a->wish);
}

struct read_args {
	struct str url;
	struct strs names;
};
static const struct param read_params[] = {
	SQS_QUEUE(struct read_args, url),
	PARAM(struct read_args, "AttributeName", names, .max = 128, .doc = "Attributes to show, or All."),
};

static RESULT answer_read(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct read_args *a = args;
	const struct queue *queue = NULL;
	TRY(sqs_find_queue_row(e, a->url, &queue));
	return a->names.count ? sqs_write_attributes(e, w, queue, &a->names) : OK;
}

struct sources_args {
	struct str url;
	struct query_pages pages;
};
static const struct param sources_params[] = {
	SQS_QUEUE(struct sources_args, url),
	PARAM(struct sources_args, "MaxResults", pages.size, .min = 1, .max = QUEUES_OF_A_PAGE,
	      .doc = "Maximum number of results in one page."),
	PARAM(struct sources_args, "NextToken", pages.token, .min = 1, .max = 2048,
	      .doc = "Token of the next page, from the previous answer."),
};

static RESULT answer_sources(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct sources_args *a = args;
	const struct queue *dead = NULL;
	struct query_page page;
	TRY(sqs_find_queue_row(e, a->url, &dead));
	TRY(query_open_page(e->c, &a->pages, QUEUES_OF_A_PAGE, "NextToken", &page));
	forms_open_flat_list(w, "queueUrls", "QueueUrl");
	for (const struct queue *q = queue_first_by_account(sqs_tables(e), dead->account); q && !page.is_cut;
	     q = queue_next_by_account(sqs_tables(e), q))
		if (str_equal(q->dead_queue, dead->name) && query_page_takes(&page, q->name))
			forms_text(w, NULL, url_of(e, q));
	forms_close(w);
	if (page.is_cut)
		forms_text(w, "NextToken", str_encode_base64url(e->c->arena, page.last));
	return OK;
}

/* ---- tags ---- */

struct tag_args {
	struct entity_tags wish;
	struct str url;
};
static const struct param tag_params[] = {
	SQS_QUEUE(struct tag_args, url),
	PARAM_LIST(struct tag_args, "Tag", wish.tags, tag_table, .max = TAGS_READ_MAX, .doc = "Tags to set."),
};
static const struct param untag_params[] = {
	SQS_QUEUE(struct tag_args, url),
	PARAM(struct tag_args, "TagKey", wish.keys, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX,
	      .doc = "Tags to remove."),
};

static RESULT prepare_tags(struct sqs_call *e, void *args)
{
	struct tag_args *a = args;
	return sqs_find_queue(e, a->url, &a->wish.entity);
}

/* JSON calls the list Tags, the query protocol Tag. */
static RESULT prepare_tag(struct sqs_call *e, void *args)
{
	struct tag_args *a = args;
	TRY(prepare_tags(e, a));
	if (!a->wish.tags.count)
		return ctx_fail_field(e->c, ERR_MISSING, STR("Tag"),
				      "The request must contain the parameter %s.",
				      e->form == FORM_QUERY ? "Tag" : "Tags");
	return check_tags(e, a->wish.entity.text, a->wish.tags.count);
}

static RESULT answer_tags(struct sqs_call *e, const void *args, struct forms_writer *w)
{
	const struct queue_args *a = args;
	const struct queue *queue = NULL;
	TRY(sqs_find_queue_row(e, a->url, &queue));
	if (!queue->tags.count)
		return OK;
	forms_open_map(w, "Tags", "Tag", "Key");
	for (size_t k = 0; k < queue->tags.count; k++)
		forms_map_text(w, queue->tags.at[k].key, queue->tags.at[k].value);
	forms_close(w);
	return OK;
}

static const struct sqs_action actions[] = {
	{SQS_ACTION("CreateQueue"), .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .prepare = prepare_create, .operation = engine_create_queue_run, .answer = answer_create,
	 .returns = KIND_QUEUE,
	 .doc = "Creates a queue, or returns the one with the same name and attributes."},
	{SQS_ACTION("GetQueueUrl"), .args = PARAMS(struct get_args, get_params), .answer = answer_get,
	 .doc = "Returns the URL of a queue."},
	{SQS_ACTION("ListQueues"), .args = PARAMS(struct list_args, list_params), .answer = answer_list,
	 .doc = "Lists the queues of the account."},
	{SQS_ACTION("ListDeadLetterSourceQueues"), .args = PARAMS(struct sources_args, sources_params),
	 .answer = answer_sources, .doc = "Lists the queues whose dead letters go to this queue."},
	{SQS_ACTION("GetQueueAttributes"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct read_args, read_params), .answer = answer_read,
	 .doc = "Returns the attributes of a queue."},
	{SQS_ACTION("SetQueueAttributes"), .flags = API_WRITES, .args = PARAMS(struct set_args, set_params),
	 .prepare = prepare_set, .operation = engine_set_queue_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets attributes of a queue."},
	{SQS_ACTION("PurgeQueue"), .flags = API_WRITES, .args = PARAMS(struct queue_args, queue_params),
	 .prepare = prepare_queue, .operation = engine_purge_queue_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes all messages of a queue."},
	{SQS_ACTION("DeleteQueue"), .flags = API_WRITES, .args = PARAMS(struct queue_args, queue_params),
	 .prepare = prepare_queue, .operation = engine_delete_queue_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a queue with its messages."},
	{SQS_ACTION("TagQueue"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .prepare = prepare_tag, .operation = engine_tag_entity_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags on a queue."},
	{SQS_ACTION("UntagQueue"), .flags = API_WRITES, .args = PARAMS(struct tag_args, untag_params),
	 .prepare = prepare_tags, .operation = engine_untag_entity_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes tags from a queue."},
	{SQS_ACTION("ListQueueTags"), .args = PARAMS(struct queue_args, queue_params), .answer = answer_tags,
	 .doc = "Lists the tags of a queue."},
};
const struct api_actions sqs_queue_actions = API_ACTIONS(actions);
