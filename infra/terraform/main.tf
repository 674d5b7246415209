# What the functions stand on: Firestore, topics, the task queue, the schedule, secrets, and who may call whom.
# The code itself is deployed by scripts/deploy; rules, indexes and public rewrites by `firebase deploy`.

terraform {
  required_version = ">= 1.6"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

locals {
  # The one cron table, which the local runner reads too.
  jobs   = { for job in jsondecode(file("${path.module}/../schedule.json")) : job.name => job }
  topics = toset(concat([for job in local.jobs : job.topic], ["process_payment_event", "facts", "dead_letters"]))
  secrets = toset([
    "stripe-secret-key", "stripe-webhook-secret", "stripe-connect-webhook-secret", "master-key", "invitation-key",
    "fingerprint-key", "session-key", "smtp-password",
  ])
  services = toset([
    "cloudfunctions", "run", "cloudbuild", "firestore", "pubsub", "cloudtasks", "cloudscheduler",
    "secretmanager", "firebase", "identitytoolkit",
  ])
}

resource "google_project_service" "used" {
  for_each           = local.services
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# --- state ---------------------------------------------------------------------------------------------------

resource "google_firestore_database" "state" {
  name                              = "(default)"
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = "DELETE_PROTECTION_ENABLED"
  depends_on                        = [google_project_service.used]
}

resource "google_firestore_backup_schedule" "nightly" {
  database  = google_firestore_database.state.name
  retention = "2592000s" # 30 days
  daily_recurrence {}
}

# Heads of the audit chains, written down daily where nobody can change them for seven years.
resource "google_storage_bucket" "anchors" {
  name                        = "${var.project}-audit-anchors"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  retention_policy {
    retention_period = 220752000
    is_locked        = var.lock_retention
  }
}

# --- messages and tasks --------------------------------------------------------------------------------------

resource "google_pubsub_topic" "all" {
  for_each   = local.topics
  name       = each.key
  depends_on = [google_project_service.used]
}

resource "google_cloud_tasks_queue" "submit" {
  name     = "submit"
  location = var.region
  rate_limits {
    max_dispatches_per_second = 20 # Stripe takes 100 writes a second; the rest is for people
    max_concurrent_dispatches = 20
  }
  retry_config {
    max_attempts  = 100
    min_backoff   = "10s"
    max_backoff   = "3600s"
    max_doublings = 8
  }
  depends_on = [google_project_service.used]
}

resource "google_cloud_scheduler_job" "tick" {
  for_each    = local.jobs
  name        = each.key
  description = each.value.description
  schedule    = each.value.cron
  time_zone   = each.value.time_zone
  region      = var.region
  pubsub_target {
    topic_name = google_pubsub_topic.all[each.value.topic].id
    data       = base64encode(jsonencode({ job = each.key }))
  }
}

# --- secrets -------------------------------------------------------------------------------------------------

resource "google_secret_manager_secret" "all" {
  for_each  = local.secrets
  secret_id = each.key
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
  depends_on = [google_project_service.used]
}

# --- who signs in, and how -----------------------------------------------------------------------------------

resource "google_identity_platform_config" "people" {
  autodelete_anonymous_users = true
  sign_in {
    allow_duplicate_emails = false
    email {
      enabled           = true
      password_required = false # a link by e-mail will do
    }
    phone_number {
      enabled = true
    }
  }
  mfa { # staff are staff with a second factor alone (shared/web/authentication.py)
    state             = "ENABLED"
    enabled_providers = ["PHONE_SMS"]
  }
  sms_region_config {
    allowlist_only { # texts to dear numbers abroad are a fraud of their own
      allowed_regions = ["GB"]
    }
  }
  authorized_domains = var.domains
  depends_on         = [google_project_service.used]
}

resource "google_identity_platform_default_supported_idp_config" "providers" {
  for_each      = var.sign_in_providers
  enabled       = true
  idp_id        = each.key
  client_id     = each.value.client_id
  client_secret = each.value.client_secret
  depends_on    = [google_identity_platform_config.people]
}

variable "domains" {
  type        = list(string)
  default     = []
  description = "Whence people sign in: the portal's own addresses."
}

variable "sign_in_providers" {
  type        = map(object({ client_id = string, client_secret = string }))
  default     = {}
  description = "Others that may vouch for people, by their id: \"google.com\", \"apple.com\". Given, they work: the code asks Firebase alone."
}

# --- who may do what -----------------------------------------------------------------------------------------

resource "google_service_account" "functions" {
  account_id   = "functions"
  display_name = "What the functions run as"
}

resource "google_service_account" "invoker" {
  account_id   = "invoker"
  display_name = "Whom Cloud Tasks and Pub/Sub push speak as"
}

resource "google_project_iam_member" "functions" {
  for_each = toset([
    "roles/datastore.user", "roles/pubsub.publisher", "roles/cloudtasks.enqueuer", "roles/firebaseauth.admin",
  ])
  project = var.project
  role    = each.key
  member  = google_service_account.functions.member
}

resource "google_secret_manager_secret_iam_member" "functions" {
  for_each  = google_secret_manager_secret.all
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.functions.member
}

# A task carries the invoker's token; who queues it must be allowed to speak as the invoker.
resource "google_service_account_iam_member" "functions_speak_as_invoker" {
  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.functions.member
}

resource "google_storage_bucket_iam_member" "functions_anchor" {
  bucket = google_storage_bucket.anchors.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.functions.member
}

variable "project" {
  type        = string
  description = "The Google Cloud project."
}

variable "region" {
  type        = string
  default     = "europe-west2"
  description = "London: the members' data stays in the United Kingdom."
}

variable "lock_retention" {
  type        = bool
  default     = false
  description = "Lock the anchors' retention for good. Never undone: set it in production, once."
}

output "invoker_email" {
  value = google_service_account.invoker.email
}

output "anchors" {
  value = "gs://${google_storage_bucket.anchors.name}"
}
