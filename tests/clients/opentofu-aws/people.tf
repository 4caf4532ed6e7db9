# IAM: people, groups, roles and policies.
locals {
  look = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["ec2:Describe*"], Resource = "*" }] })
  stop = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["ec2:StopInstances"], Resource = "*" }] })
  say  = var.round == 1 ? local.look : local.stop
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.me.account_id]
    }
  }
}

data "aws_iam_policy" "reader" { name = "ReadOnlyAccess" }

resource "aws_iam_user" "anna" {
  name          = "anna-${var.round}"
  path          = "/desk/"
  force_destroy = true
}

resource "aws_iam_user" "ben" { name = "ben" }
resource "aws_iam_group" "desk" { name = "desk-${var.round}" }
resource "aws_iam_group" "lab" { name = "lab" }

resource "aws_iam_group_membership" "lab" {
  name  = "lab"
  group = aws_iam_group.lab.name
  users = var.round == 1 ? [aws_iam_user.ben.name] : [aws_iam_user.ben.name, aws_iam_user.anna.name]
}

resource "aws_iam_user_group_membership" "anna" {
  user   = aws_iam_user.anna.name
  groups = [aws_iam_group.desk.name]
}

resource "aws_iam_policy" "say" {
  name        = "say"
  description = "of the tour"
  policy      = local.say
}

resource "aws_iam_policy" "alone" {
  name   = "alone"
  policy = local.look
}

resource "aws_iam_policy_attachment" "alone" {
  name       = "alone"
  policy_arn = aws_iam_policy.alone.arn
  users      = [aws_iam_user.ben.name]
  groups     = var.round == 1 ? [] : [aws_iam_group.lab.name]
}

resource "aws_iam_user_policy" "ben" {
  name   = "ben"
  user   = aws_iam_user.ben.name
  policy = local.say
}

resource "aws_iam_group_policy" "lab" {
  name   = "lab"
  group  = aws_iam_group.lab.name
  policy = local.say
}

resource "aws_iam_user_policy_attachment" "anna" {
  user       = aws_iam_user.anna.name
  policy_arn = data.aws_iam_policy.reader.arn
}

resource "aws_iam_group_policy_attachment" "lab" {
  group      = aws_iam_group.lab.name
  policy_arn = aws_iam_policy.say.arn
}

resource "aws_iam_role" "robot" {
  name                 = "robot"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  description          = "round ${var.round}"
  max_session_duration = var.round == 1 ? 3600 : 7200
  permissions_boundary = data.aws_iam_policy.reader.arn
}

resource "aws_iam_role_policy" "robot" {
  name   = "robot"
  role   = aws_iam_role.robot.id
  policy = local.say
}

resource "aws_iam_role_policy_attachment" "robot" {
  role       = aws_iam_role.robot.name
  policy_arn = aws_iam_policy.say.arn
}

resource "aws_iam_role" "whole" {
  name               = "whole"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachments_exclusive" "whole" {
  role_name   = aws_iam_role.whole.name
  policy_arns = var.round == 1 ? [aws_iam_policy.say.arn] : []
}

resource "aws_iam_role_policies_exclusive" "whole" {
  role_name    = aws_iam_role.whole.name
  policy_names = []
}

resource "aws_iam_instance_profile" "robot" {
  name = "robot"
  role = aws_iam_role.robot.name
  tags = { Name = "robot-${var.round}" }
}

resource "aws_iam_access_key" "ben" {
  user   = aws_iam_user.ben.name
  status = var.round == 1 ? "Active" : "Inactive"
}

resource "aws_iam_user_login_profile" "ben" {
  user                    = aws_iam_user.ben.name
  password_length         = 24
  password_reset_required = false
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://ci.example.com"
  client_id_list  = var.round == 1 ? ["sts.amazonaws.com"] : ["sts.amazonaws.com", "ci"]
  thumbprint_list = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
}

resource "aws_iam_account_password_policy" "strict" {
  minimum_password_length = var.round == 1 ? 12 : 14
  require_numbers         = true
}

data "aws_iam_policy_document" "read" {
  source_policy_documents = [local.look]
}
data "aws_iam_users" "all" { depends_on = [aws_iam_user.anna] }
data "aws_iam_roles" "all" { depends_on = [aws_iam_role.robot] }
