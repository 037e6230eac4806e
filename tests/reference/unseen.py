"""taskhead simulate at default settings against SciPy's integration of backbone and head themselves.

Ten random linear problems: kernels of condition 1 to 1e6 and a singular one, head rates 0.01 to 20, k = 1 to 10,
h far above and below N, held-out inputs. Run in an empty folder, with numpy and scipy (seen with 1.17):

    python3 unseen.py PATH/TO/taskhead

Prints relative errors of features, head, held-out features, metrics and held-out metrics. SciPy's own error is about
1e-10.
Exit code 1 if any is above 1e-7.
"""
import numpy as np, subprocess, json, sys
from scipy.integrate import solve_ivp
rng=np.random.default_rng(2024)
def metrics(z0,z):
    d=np.linalg.norm(z-z0,axis=1).mean(); n0=np.linalg.norm(z0,axis=1); n=np.linalg.norm(z,axis=1); dot=(z*z0).sum(1)
    return np.array([d,(1-dot/n0/n).mean(),dot.mean(),n.mean()])
worst=0
cases=[]
for (N,d,h,k,cond,gamma,T,rank) in [(5,8,6,2,1,1,3.,None),(6,10,80,3,100,1,20.,None),(4,9,3,1,1e4,1,200.,None),(6,12,7,2,1e5,0.1,1000.,None),(8,12,10,10,10,3,5.,None),(6,9,5,4,30,1,10.,3),(5,8,40,5,1e3,20,50.,None),(7,9,2,3,10,1,30.,None),(3,6,200,1,10,0.01,40.,None),(10,14,12,2,1e6,1,300.,None)]:
    U=np.linalg.qr(rng.normal(size=(N,N)))[0]; W=np.linalg.qr(rng.normal(size=(d,d)))[0][:,:N]
    s=np.geomspace(1,1/np.sqrt(cond),N)*1.5
    if rank: s[rank:]=0
    X=U@np.diag(s)@W.T
    B=rng.normal(size=(h,d))/np.sqrt(h); V=rng.normal(size=(h,k))*0.7/np.sqrt(h); Y=rng.normal(size=(N,k)); P=rng.normal(size=(5,d))
    np.savez('p.npz',inputs=X,backbone=B,targets=Y,head=V,probe_inputs=P)
    out=subprocess.run([sys.argv[1],'simulate','p.npz','--time',str(T),'--head-rate',str(gamma),'--json','--out','r.npz'],capture_output=True,text=True)
    assert out.returncode==0,out.stderr
    j=json.loads(out.stdout)
    # independent: (M,V) with B=B0+M^T X; unreduced, LSODA and Radau on B,V
    def f(t,x):
        b=x[:h*d].reshape(h,d); v=x[h*d:].reshape(h,k); z=X@b.T; r=Y-z@v
        return np.concatenate([(v@r.T@X).ravel(),(gamma*z.T@r).ravel()])
    sol=solve_ivp(f,(0,T),np.concatenate([B.ravel(),V.ravel()]),method='DOP853' if cond<=1e3 else 'LSODA',rtol=3e-13 if cond<=1e3 else 1e-12,atol=1e-14)
    b=sol.y[:h*d,-1].reshape(h,d); v=sol.y[h*d:,-1].reshape(h,k)
    r=np.load('r.npz'); Z=X@b.T; Zp=P@b.T
    e=[np.linalg.norm(r['features']-Z)/np.linalg.norm(Z),np.linalg.norm(r['head']-v)/np.linalg.norm(v),np.linalg.norm(r['probe_features']-Zp)/np.linalg.norm(Zp)]
    a=j['adaptation']; m=metrics(X@B.T,Z); e.append(np.max(np.abs(np.array([a[x] for x in('euclidean','cosine','dot','norm')])/m-1)))
    a=j['probe_adaptation']; m=metrics(P@B.T,Zp); e.append(np.max(np.abs(np.array([a[x] for x in('euclidean','cosine','dot','norm')])/m-1)))
    print((N,d,h,k,cond,gamma,T,rank),j['method'],j['status'],['%.1e'%x for x in e],'nfev',sol.nfev,sol.status,flush=True)
    worst=max(worst,max(e))
print('worst',worst)
sys.exit(int(worst > 1e-7))
