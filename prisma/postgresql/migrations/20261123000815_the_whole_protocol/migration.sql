-- AlterTable
ALTER TABLE "client" ADD COLUMN     "protocol" TEXT NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "resource" ADD COLUMN     "protocol" TEXT NOT NULL DEFAULT '{}';
