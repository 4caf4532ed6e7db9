/* SPDX-License-Identifier: Apache-2.0
 * Clusters: creation, scaling, deletion, and the record of issued certificates. Called by: api/native/clusters.c. */
#include "engine/cluster/cluster.h"

#include <inttypes.h>

#include "engine/cluster/cluster_internal.h"
#include "engine/instance/instance.h"
#include "engine/limits.h"
#include "engine/people/policy/role.h"
#include "engine/scaling/scaling.h"
#include "model/instance_type.h"
#include "store/account.h"
#include "store/image.h"
#include "store/key_pair.h"
#include "store/subnet.h"
#include "store/user.h"

/* VERSION_MINOR_MIN: the first version whose kubeadm reads v1beta4. MEMORY_MIN: kubeadm refuses a machine of the control
 * plane with less. */
enum { VERSION_MINOR_MIN = 31, VCPUS_MIN = 2, BLOCK_BITS_MIN = 16, BLOCK_BITS_MAX = 24 };
enum { POD_BITS_MIN = 8, POD_BITS_MAX = 22, SERVICE_BITS_MIN = 8, SERVICE_BITS_MAX = 24 };
static const int64_t MEMORY_MIN = INT64_C(1700) << 20;

static RESULT fail(struct op *op, const char *field, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_CLUSTER, str_from(field), "%s", why);
}

/* ---- texts ---- */

/* A name is a part of DNS labels and of names of EC2. */
static RESULT check_name(struct op *op, struct str name)
{
	static const char why[] =
		"A cluster's name has 1 to 28 lower-case letters, digits and '-', begins with a "
		"letter, and does not end with '-'.";
	if (!name.n || name.n > CLUSTER_NAME_MAX || name.p[0] < 'a' || name.p[0] > 'z' ||
	    name.p[name.n - 1] == '-')
		return fail(op, "name", why);
	for (size_t k = 0; k < name.n; k++) {
		char c = name.p[k];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return fail(op, "name", why);
	}
	return OK;
}

/* "1.37.2": kubeadm would ask the internet what a shorter version means. */
static bool is_version(struct str version)
{
	struct str rest = version, piece;
	int64_t numbers[3];
	size_t count = 0;
	while (str_split_next(&rest, '.', &piece))
		if (count == 3 || !piece.n || piece.n > 3 || (piece.n > 1 && piece.p[0] == '0') ||
		    piece.p[0] < '0' || piece.p[0] > '9' ||
		    !result_is_ok(str_parse_int(piece, &numbers[count++])))
			return false;
	return count == 3 && numbers[0] == 1 && numbers[1] >= VERSION_MINOR_MIN && numbers[2] >= 0;
}

/* A URL goes into a shell's and into YAML's quotes: only characters of RFC 3986, and none that either reads. */
static bool is_url(struct str url)
{
	bool has_scheme = str_starts_with(url, STR("https://")) || str_starts_with(url, STR("http://"));
	for (size_t k = 0; k < url.n; k++)
		if (!str_is_alphanumeric(url.p[k]) && !strchr("-._~:/?#[]@!&()*+,;=%", url.p[k]))
			return false;
	return has_scheme;
}

static bool is_registry(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!str_is_alphanumeric(text.p[k]) && !strchr("-._:/", text.p[k]))
			return false;
	return true;
}

/* An armored key is ASCII lines; they are indented into YAML's block. */
static bool is_armored(struct str key)
{
	for (size_t k = 0; k < key.n; k++)
		if (key.p[k] != '\n' && (key.p[k] < ' ' || key.p[k] > '~'))
			return false;
	return str_starts_with(key, STR("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
}

static RESULT check_sources(struct op *op, const struct cluster_wish *w)
{
	const struct strs *sources = &w->sources;
	if (sources->count > CLUSTER_SOURCES_MAX)
		return fail(op, "sources", "The API has up to 20 blocks of clients.");
	for (size_t k = 0; k < sources->count; k++) {
		struct cidr block;
		if (!result_is_ok(cidr_parse(sources->at[k], &block)) || block.base.family != IP_V4)
			return fail(op, "sources",
				    "A block of clients is an IPv4 block such as 192.0.2.0/24.");
	}
	if (w->manifests.count > CLUSTER_MANIFESTS_MAX)
		return fail(op, "manifests", "A cluster applies up to 8 manifests.");
	for (size_t k = 0; k < w->manifests.count; k++)
		if (!is_url(w->manifests.at[k]))
			return fail(op, "manifests", "A manifest is a URL with http or https.");
	return OK;
}

static RESULT check_texts(struct op *op, const struct cluster_wish *w)
{
	TRY(check_name(op, w->name));
	TRY(check_sources(op, w));
	if (w->packages.n && !is_url(w->packages))
		return fail(op, "packages", "The packages' repository is a URL with http or https.");
	if (w->packages.n && !w->packages_key.n && !str_starts_with(w->packages, STR("https://")))
		return fail(op, "packages_key",
			    "A repository that is reached without TLS needs the key that signs it.");
	if (w->packages_key.n && !w->packages.n)
		return fail(op, "packages_key", "A key needs the URL of the repository that it signs.");
	if (w->packages_key.n && !is_armored(w->packages_key))
		return fail(op, "packages_key", "The key is an OpenPGP public key in ASCII armor.");
	return is_registry(w->registry)
		       ? OK
		       : fail(op, "registry", "A registry is a host name with an optional port and path.");
}

/* ---- numbers and networks ---- */

static bool is_block(struct cidr block, int min, int max)
{
	return block.base.family == IP_V4 && cidr_is_canonical(block) && block.bits >= min &&
	       block.bits <= max;
}

static RESULT check_blocks(struct op *op, const struct cluster_wish *w)
{
	if (!is_block(w->pod_block, POD_BITS_MIN, POD_BITS_MAX))
		return fail(op, "pod_network", "The pods' network is an IPv4 block from /8 to /22.");
	if (!is_block(w->service_block, SERVICE_BITS_MIN, SERVICE_BITS_MAX))
		return fail(op, "service_network", "The Services' network is an IPv4 block from /8 to /24.");
	if (cidr_overlaps(w->pod_block, w->service_block))
		return fail(op, "service_network", "The networks of pods and Services overlap.");
	if (w->subnets.count)
		return cidr_is_none(w->network)
			       ? OK
			       : fail(op, "network", "Given subnets have their own blocks: the VPC exists.");
	if (!is_block(w->network, BLOCK_BITS_MIN, BLOCK_BITS_MAX))
		return fail(op, "network", "The VPC's network is an IPv4 block from /16 to /24.");
	return cidr_overlaps(w->network, w->pod_block) || cidr_overlaps(w->network, w->service_block)
		       ? fail(op, "network", "The VPC's network overlaps the pods' or the Services'.")
		       : OK;
}

static RESULT check_numbers(struct op *op, const struct cluster_wish *w)
{
	if (w->control_count != 1 && w->control_count != 3)
		return fail(op, "control_count",
			    "A control plane has 1 or 3 machines: etcd needs an odd number.");
	if (w->workers < 0 || w->workers > CLUSTER_WORKERS_MAX)
		return fail(op, "workers", "A cluster has 0 to 100 workers.");
	return check_blocks(op, w);
}

/* Given subnets are in one VPC, each in a zone of its own, as the load balancer asks. */
static RESULT take_subnets(struct op *op, const struct cluster_wish *w, struct cluster *row)
{
	uuid *ids = arena_new_array(op->ctx->arena, uuid, w->subnets.count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < w->subnets.count; k++) {
		const struct subnet *subnet = NULL;
		TRY(engine_find_own_subnet(op->ctx, op->head, &w->subnets.at[k], &subnet));
		if (uuid_is_none(subnet->router) || subnet->block.base.family != IP_V4 ||
		    !uuid_equal(subnet->account, row->account))
			return fail(op, "subnets", "A cluster needs subnets of a VPC with an IPv4 block.");
		if (k && !uuid_equal(subnet->router, row->router))
			return fail(op, "subnets", "All subnets must be in the same VPC.");
		if (cidr_overlaps(subnet->block, w->pod_block) ||
		    cidr_overlaps(subnet->block, w->service_block))
			return fail(op, "subnets",
				    "A subnet overlaps the network of the pods or the Services.");
		row->router = subnet->router;
		ids[k] = subnet->row.id;
	}
	row->subnets = (struct uuids){ids, w->subnets.count};
	return OK;
}

/* ---- image and types ---- */

static struct str version_of(const struct image *image)
{
	const struct tag *tag = tags_find(image->tags, CLUSTER_IMAGE_TAG);
	if (!tag)
		tag = tags_find(image->properties, CLUSTER_IMAGE_PROPERTY);
	return tag ? tag->value : STR_NONE;
}

static void weigh_image(struct op *op, const struct image *image, struct str version,
			const struct image **best)
{
	struct str has = version_of(image);
	bool fits = has.n && (!version.n || str_equal(version, has)) && row_is_live(&image->row) &&
		    !image->is_deactivated && engine_may_see(op->ctx, KIND_IMAGE, &image->row);
	if (fits && (!*best || image->row.created_us > (*best)->row.created_us))
		*best = image;
}

/* The newest image with the tag, of the account or public. */
static RESULT choose_image(struct op *op, uuid account, struct str version, const struct image **ret_image)
{
	const struct image *best = NULL;
	for (const struct image *i = image_first_by_owner(op->head, account); i;
	     i = image_next_by_owner(op->head, i))
		weigh_image(op, i, version, &best);
	for (const struct image *i = image_first_by_public(op->head, true); i;
	     i = image_next_by_public(op->head, i))
		weigh_image(op, i, version, &best);
	if (!best)
		return fail(
			op, "image",
			"No image has the tag kubernetes-version (with that version): name an image and a "
			"version, or tag an image that has kubeadm.");
	TRY(engine_check_found(op->ctx, op->head, KIND_IMAGE, &best->row));
	*ret_image = best;
	return OK;
}

static RESULT take_image(struct op *op, const struct cluster_wish *w, struct cluster *row)
{
	const struct image *image = NULL;
	if (ref_is_given(&w->image))
		TRY(engine_find_image(op->ctx, op->head, &w->image, &image));
	else
		TRY(choose_image(op, row->account, w->version, &image));
	struct str has = version_of(image);
	row->image = image->row.id;
	row->version = w->version.n ? w->version : has;
	row->is_checked = has.n;
	if (image->platform != IMAGE_PLATFORM_LINUX)
		return fail(op, "image", "Nodes run Linux: the image is one of Windows.");
	if (!row->version.n)
		return fail(op, "version",
			    "The image has no tag kubernetes-version: name the version of its kubeadm.");
	if (!is_version(row->version))
		return fail(op, "version", "A version is 1.31.0 or later, with three numbers.");
	return !has.n || str_equal(has, row->version)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_CLUSTER, STR("version"),
				     "The image has Kubernetes %" STR_FMT " by its tag.", STR_ARG(has));
}

static RESULT take_type(struct op *op, const struct ref *ref, bool is_control, uuid *ret_type)
{
	const struct instance_type *type = NULL;
	TRY(engine_find_instance_type(op->ctx, op->head, ref, &type));
	if (is_control && (type->vcpus < VCPUS_MIN || type->memory < MEMORY_MIN))
		return fail(op, "control_type",
			    "kubeadm needs 2 processors and 1700 MiB of memory for a control plane.");
	*ret_type = type->row.id;
	return OK;
}

/* Rows that the call names come before the choice of an image, so that their policies are asked in any case. */
static RESULT take_named(struct cluster_making *m)
{
	struct op *op = m->op;
	const struct row *profile = NULL;
	const struct key_pair *key = NULL;
	if (ref_is_given(&m->wish->profile))
		TRY(engine_find_own(op->ctx, op->head, KIND_INSTANCE_PROFILE, &m->wish->profile, &profile));
	if (ref_is_given(&m->wish->key_pair))
		TRY(engine_find_own_key_pair(op->ctx, op->head, &m->wish->key_pair, &key));
	m->row->profile = profile ? profile->id : UUID_NONE;
	m->key_name = key ? key->name : STR_NONE;
	return take_subnets(op, m->wish, m->row);
}

/* ---- creation ---- */

static RESULT check_free_name(struct op *op, uuid account, struct str name)
{
	if (cluster_find_by_account(op->head, account, name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_CLUSTER, STR("name"),
				   "The account has a cluster '%" STR_FMT "' already.", STR_ARG(name));
	return cluster_check_part_names(op, account, name);
}

/* The calls whose rights a cluster needs besides its own. */
static RESULT permit_parts(struct op *op, bool makes_network)
{
	static const char *const always[] = {"security_group.create", "elastic_load_balancer.create",
					     "target_group.create",   "launch_template.create",
					     "scaling_group.create",  "instance.create"};
	for (size_t k = 0; k < sizeof always / sizeof *always; k++)
		TRY(engine_permit_beside(op, always[k]));
	return makes_network ? engine_permit_beside(op, "router.create") : OK;
}

static RESULT make_cluster(struct op *op, const struct cluster_wish *w, struct cluster *row)
{
	TRY(permit_parts(op, row->owns_network));
	TRY(check_free_name(op, row->account, w->name));
	TRY(limit_check(op, LIMIT_CLUSTERS, row->account, 1, STR_NONE));
	struct cluster_making m = {.op = op, .wish = w, .row = row};
	TRY(take_named(&m));
	TRY(take_image(op, w, row));
	TRY(take_type(op, &w->control_type, true, &row->control_type));
	TRY(take_type(op, &w->worker_type, false, &row->worker_type));
	TRY(cluster_make_parts(&m));
	TRY(cluster_put(op, row));
	return engine_log_event(op, KIND_CLUSTER, &row->row, "created",
				row->is_checked ? "Kubernetes %" STR_FMT "."
						: "Kubernetes %" STR_FMT
						  ". The image has no tag kubernetes-version: nobody has "
						  "checked that it has kubeadm.",
				STR_ARG(row->version));
}

/* The scaling group launches workers as the user who made it, and the operator is no user of an account. */
static uuid find_owner(const struct tables *t, uuid account)
{
	const struct user *user = user_first_by_owner(t, account);
	while (user && !user->is_owner)
		user = user_next_by_owner(t, user);
	return user ? user->row.id : UUID_NONE;
}

/* An administrator creates a cluster for another account as the owner of that account: its quotas count, and it owns the
 * parts. */
static RESULT make_for(struct op *op, const struct account *account, const struct cluster_wish *w,
		       struct cluster *row)
{
	const struct identity *caller = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	struct identity *who = arena_new_object(op->ctx->arena, struct identity);
	if (!who)
		return ctx_no_memory(op->ctx);
	*who = (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = account->row.id,
				 .user = find_owner(op->head, account->row.id),
				 .domain = account->domain,
				 .account_number = account->number};
	engine_act_by_roles(op->ctx, who);
	struct result result = make_cluster(op, w, row);
	op->ctx->who = caller;
	op->ctx->guard = guard;
	return result;
}

RESULT engine_create_cluster(struct op *op, struct cluster_wish *w)
{
	const struct account *account = NULL;
	TRY(engine_find_owner_to_be(op, &w->account, &account));
	struct cluster row = {.row = {.id = w->cluster, .gen = 1},
			      .account = account->row.id,
			      .name = w->name,
			      .control_count = w->control_count,
			      .workers = w->workers,
			      .pod_block = w->pod_block,
			      .service_block = w->service_block,
			      .is_internal = w->is_internal,
			      .registry = w->registry,
			      .packages = w->packages,
			      .manifests = w->manifests,
			      .owns_network = !w->subnets.count,
			      .ca_cert = w->keys.ca_cert,
			      .ca_key = w->keys.sealed_ca_key,
			      .status_us = op->now_us};
	TRY(engine_permit_new(op, "cluster.create", KIND_CLUSTER, &row.row));
	TRY(check_texts(op, w));
	TRY(check_numbers(op, w));
	bool is_own = uuid_equal(engine_get_account(op->ctx), row.account);
	return is_own ? make_cluster(op, w, &row) : make_for(op, account, w, &row);
}

/* ---- changes ---- */

static RESULT find_changeable(struct op *op, const struct ref *ref, const char *permission,
			      const struct cluster **ret_cluster)
{
	TRY(engine_permit_cluster(op, ref, permission, ret_cluster));
	return (*ret_cluster)->is_deleting
		       ? ENGINE_FAIL(op, ERR_STATE, KIND_CLUSTER, ref->field, "The cluster is being deleted.")
		       : OK;
}

RESULT engine_scale_cluster(struct op *op, struct cluster_scaling *wish)
{
	const struct cluster *present = NULL;
	TRY(find_changeable(op, &wish->cluster, "cluster.scale", &present));
	struct cluster next = *present;
	const struct scaling_group *group = scaling_group_find(op->head, next.scaling_group);
	if (wish->workers < 0 || wish->workers > CLUSTER_WORKERS_MAX)
		return fail(op, "workers", "A cluster has 0 to 100 workers.");
	if (!group || group->is_deleting)
		return ENGINE_FAIL(op, ERR_STATE, KIND_CLUSTER, wish->cluster.field,
				   "The cluster's scaling group is gone.");
	struct scaling_desired desired = {
		.group = engine_ref_to(op, KIND_SCALING_GROUP, group->row.id, STR("workers")),
		.desired = wish->workers};
	TRY(engine_set_scaling_desired(op, &desired));
	next.workers = wish->workers;
	next.row.gen++;
	bool is_at_rest = present->status == CLUSTER_STATUS_ACTIVE;
	TRY(cluster_put_status(op, &next, is_at_rest ? CLUSTER_STATUS_UPDATING : present->status,
			       present->problem));
	return engine_log_event(op, KIND_CLUSTER, &next.row, "scaled", "%" PRId64 " workers.", next.workers);
}

RESULT engine_note_cluster_key(struct op *op, struct cluster_key_wish *wish)
{
	const struct cluster *present = NULL;
	TRY(find_changeable(op, &wish->cluster, "cluster.get_kubeconfig", &present));
	return engine_log_event(op, KIND_CLUSTER, &present->row, "kubeconfig", "Valid for %" PRId64 " hours.",
				wish->hours);
}
