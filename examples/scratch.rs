use taskhead::*;
use taskhead::tasks::*;
use taskhead::sweep::config::Config;
fn main(){
    let which=std::env::args().nth(1).unwrap();
    let spec=match which.as_str(){
        "digits"=>TaskSpec::Digits(DigitsTransfer::default()),
        _=>{ let n=which.parse().unwrap_or(8); TaskSpec::Gaussian(Gaussian{samples:n,inputs:n+5,width:2*n,outputs:2,input_decay:std::env::args().nth(2).map_or(0.,|s|s.parse().unwrap()),..Gaussian::default()})}};
    let t0=std::time::Instant::now();
    let task=Task::new(&spec,0).unwrap();
    println!("task {:?}",t0.elapsed());
    let head=task.initial_head(0,1.0);
    let run=simulation::Run::new(&task.problem,&head,0.0).unwrap();
    let red=run.reduction();
    println!("rows {} width {} lambda {:e} {:e}",red.rows(),red.width(),red.lambda()[0],red.lambda().iter().filter(|l|**l>0.).last().unwrap());
    for tau in [f64::INFINITY,10.0,0.0]{
        let h=run.path().head(tau).unwrap();
        let flow=flow::Flow::new(red,&h,1.0).unwrap();
        for rtol in [1e-6,1e-9,1e-12]{
        let t0=std::time::Instant::now();
        let sol=flow::solver::solve(&flow,f64::INFINITY,&flow::solver::Options{rtol,max_steps:3000,..Default::default()}).unwrap();
        println!("tau {tau} rtol {rtol:e} {:?} {:?} {:?} drift {:e} loss {:e} D {:.15e}",sol.status,sol.work,t0.elapsed(),red.conservation_drift(flow.start(),&sol.end.state,1.0),red.loss(&sol.end.state),sol.end.state.motion.norm());
        }
    }
    let _=Config::new(spec);
}
