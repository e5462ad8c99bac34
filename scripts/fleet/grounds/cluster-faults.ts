import type { FaultKind, Harm } from '../ground.js'
import type { Random } from '../random.js'
import { comesAbout, pause } from '../waiting.js'
import { command, type FleetCluster, type Member } from './redis-cluster.js'

const PROMOTED_WITHIN = 20_000

/**
 * What happens to a Redis Cluster. A master that stands still until its replica has taken over, or whose replica is
 * behind when it dies, has answered what the new master does not know: only with `durability` nothing is lost then.
 */
export function clusterFaults(
  cluster: FleetCluster,
  { durable }: { readonly durable: boolean },
): readonly FaultKind[] {
  const isOver = () => cluster.isWhole()
  const onMaster = (name: string, strike: (master: Member, random: Random) => Promise<Struck>) => ({
    name,
    async strike(random: Random): Promise<Harm> {
      const master = random.pick(await cluster.masters())
      return { target: master.name, isOver, ...(await strike(master, random)) }
    },
  })

  async function killed(master: Member): Promise<Struck> {
    const replica = await cluster.replicaOf(master)
    await master.server.kill()
    await comesAbout(() => cluster.isMaster(replica), PROMOTED_WITHIN)
    return { lasts: 0, heal: () => master.server.restart() }
  }

  return [
    onMaster('master killed', (master) => killed(master)),
    onMaster('master stopped', async ({ server }, random) => {
      server.pause()
      const lasts = durable ? random.between(500, 5000) : random.between(300, 1000)
      return { lasts, heal: async () => server.resume() }
    }),
    onMaster('link to a master cut', async ({ link }, random) => {
      link.cut()
      return { lasts: random.between(300, 3000), heal: async () => link.heal() }
    }),
    onMaster('link to a master held', async ({ link }, random) => {
      link.hold()
      return { lasts: random.between(500, 3000), heal: async () => link.heal() }
    }),
    onMaster('failover', async (master) => {
      const replica = await cluster.replicaOf(master)
      await command(replica, 'CLUSTER', 'FAILOVER')
      await comesAbout(() => cluster.isMaster(replica), PROMOTED_WITHIN)
      return { lasts: 0, heal: async () => undefined }
    }),
    {
      ...onMaster('master killed with its replica behind', async (master, random) => {
        master.link.holdReplicas()
        await pause(random.between(300, 1500))
        const struck = await killed(master)
        // What its replica had not read is gone.
        master.link.heal()
        master.link.drop()
        return struck
      }),
      loses: !durable,
    },
  ]
}

type Struck = Pick<Harm, 'lasts' | 'heal'>
