/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: QoS policies, for the operations of ports and networks. */
#pragma once

#include "engine/internal.h"
#include "engine/network/port/qos_choice.h"

/* Chooses the policy of a port (kind KIND_PORT) or network. present: the former policy, or none; of: id of the port or
 * network, none for a new one. With KIND_QOS_POLICY: ERR_NOT_FOUND; ERR_DENIED, the present one is not the caller's to remove;
 * ERR_UNSUPPORTED with KIND_QOS_RULE, the policy has a minimum bandwidth. */
RESULT qos_policy_choose(struct op *op, const struct qos_choice *choice, enum kind kind, uuid of,
			 uuid *present);
/* ERR_UNSUPPORTED with KIND_QOS_RULE: a port or network has the policy, which has a minimum bandwidth. */
RESULT qos_policy_check_bound(struct op *op, uuid policy);
/* The default policy of the account for a new network; none: the account has none. ERR_UNSUPPORTED with KIND_QOS_RULE: the
 * policy has a minimum bandwidth. */
RESULT qos_policy_choose_default(struct op *op, uuid account, uuid *ret_policy);
