-- AlterTable
ALTER TABLE "artefact" ADD COLUMN     "poll_at" BIGINT,
ADD COLUMN     "poll_seconds" INTEGER;

-- AlterTable
ALTER TABLE "client" ADD COLUMN     "origin" TEXT NOT NULL DEFAULT 'administrator',
ADD COLUMN     "protocol" TEXT NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "consent" ADD COLUMN     "authorization_details" TEXT NOT NULL DEFAULT '[]';

-- AlterTable
ALTER TABLE "resource" ADD COLUMN     "protocol" TEXT NOT NULL DEFAULT '{}';

-- CreateTable
CREATE TABLE "application_logout" (
    "id" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "session_uid" TEXT NOT NULL,
    "sid" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'waiting',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL,
    "tries_until" TIMESTAMP(3) NOT NULL,
    "last_tried_at" TIMESTAMP(3),
    "ended_at" TIMESTAMP(3),

    CONSTRAINT "application_logout_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "authorization_type" (
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL DEFAULT '',
    "fields" TEXT NOT NULL DEFAULT '[]',
    "remember" BOOLEAN NOT NULL DEFAULT false,
    "disabled_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "authorization_type_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "initial_access_token" (
    "id" TEXT NOT NULL,
    "label" TEXT,
    "hash" TEXT NOT NULL,
    "policy" TEXT NOT NULL DEFAULT '{}',
    "uses_left" INTEGER,
    "expires_at" TIMESTAMP(3) NOT NULL,
    "created_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "initial_access_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "client_registration" (
    "client_id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "policy" TEXT NOT NULL DEFAULT '{}',
    "admitted_by" TEXT,
    "created_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "client_registration_pkey" PRIMARY KEY ("client_id")
);

-- CreateTable
CREATE TABLE "trusted_issuer" (
    "id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "jwks_uri" TEXT,
    "jwks" TEXT,
    "algorithms" TEXT NOT NULL DEFAULT '[]',
    "audiences" TEXT NOT NULL DEFAULT '[]',
    "maximum_lifetime_seconds" INTEGER NOT NULL,
    "single_use" BOOLEAN NOT NULL DEFAULT false,
    "people" TEXT NOT NULL DEFAULT '[]',
    "disabled_at" TIMESTAMP(3),
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "trusted_issuer_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "application_logout_created_at_id_idx" ON "application_logout"("created_at", "id");

-- CreateIndex
CREATE INDEX "application_logout_client_id_idx" ON "application_logout"("client_id");

-- CreateIndex
CREATE INDEX "application_logout_user_id_idx" ON "application_logout"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "authorization_type_type_key" ON "authorization_type"("type");

-- CreateIndex
CREATE INDEX "authorization_type_created_at_id_idx" ON "authorization_type"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "initial_access_token_hash_key" ON "initial_access_token"("hash");

-- CreateIndex
CREATE INDEX "initial_access_token_created_at_id_idx" ON "initial_access_token"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "client_registration_token_hash_key" ON "client_registration"("token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "trusted_issuer_issuer_key" ON "trusted_issuer"("issuer");

-- CreateIndex
CREATE INDEX "trusted_issuer_created_at_id_idx" ON "trusted_issuer"("created_at", "id");

-- AddForeignKey
ALTER TABLE "client_registration" ADD CONSTRAINT "client_registration_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE CASCADE ON UPDATE CASCADE;
