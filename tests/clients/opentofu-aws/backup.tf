# AWS Backup: vaults, a plan of two rules, and two selections of it.
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}

resource "aws_iam_role" "backup" {
  name               = "backup"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "backup.amazonaws.com" } }] })
}

resource "aws_backup_vault" "near" { name = "near" }

resource "aws_backup_vault" "far" {
  name = "far"
  tags = { round = var.round }
}

resource "aws_backup_plan" "nightly" {
  name = "nightly-${var.round}"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.near.name
    schedule          = "cron(0 5 ? * * *)"
    start_window      = 60
    completion_window = 180
    lifecycle { delete_after = 14 }
    recovery_point_tags = { by = "daily" }
  }
  rule {
    rule_name         = var.round == 1 ? "weekly" : "monthly"
    target_vault_name = aws_backup_vault.far.name
    schedule          = var.round == 1 ? "cron(0 6 ? * 1 *)" : "cron(0 6 1 * ? *)"
    lifecycle { delete_after = 365 }
  }
}

resource "aws_backup_selection" "tagged" {
  name          = "tagged"
  plan_id       = aws_backup_plan.nightly.id
  iam_role_arn  = aws_iam_role.backup.arn
  resources     = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"]
  not_resources = ["arn:aws:ec2:${data.aws_region.here.name}:${data.aws_caller_identity.me.account_id}:volume/vol-0123456789abcdef0"]
  condition {
    string_equals {
      key   = "aws:ResourceTag/backup"
      value = "yes"
    }
    string_not_like {
      key   = "aws:ResourceTag/stage"
      value = "test*"
    }
  }
}

resource "aws_backup_selection" "listed" {
  name         = "listed-${var.round}"
  plan_id      = aws_backup_plan.nightly.id
  iam_role_arn = aws_iam_role.backup.arn
  selection_tag {
    type  = "STRINGEQUALS"
    key   = "keep"
    value = "a"
  }
  selection_tag {
    type  = "STRINGEQUALS"
    key   = "keep"
    value = "b"
  }
}
